import type { CountryCode } from "./wallets.ts";

/** A name as an international message carries it and as its bearer writes it. */
export interface NamePair {
  /** In Latin letters without diacritics. */
  readonly latin: string;
  /** In the bearer's own script; the same letters where that is Latin. */
  readonly local: string;
}

/** People who form their full names in one way. */
export interface Community {
  /** Its share among the wallet's customers, relative to the country's other communities. */
  readonly weight: number;
  readonly order: "family first" | "given first";
  /** What stands between the two parts. */
  readonly joint: NamePair;
  readonly given: readonly NamePair[];
  /** Family names, or fathers' given names where there are none. */
  readonly family: readonly NamePair[];
}

const SPACE: NamePair = { latin: " ", local: " " };
const NO_LOCAL_SPACE: NamePair = { latin: " ", local: "" };

const CHINESE_GIVEN = pairs(`
  Wei=伟, Fang=芳, Na=娜, Min=敏, Jing=静, Xiuying=秀英, Li=丽, Qiang=强, Lei=磊, Jun=军, Yang=洋, Yong=勇, Yan=艳,
  Jie=杰, Juan=娟, Tao=涛, Ming=明, Chao=超, Xiulan=秀兰, Xia=霞, Ping=平, Gang=刚, Guiying=桂英, Jianguo=建国,
  Zhiqiang=志强, Xiaodong=晓东, Haiyan=海燕, Xuemei=雪梅, Zihan=子涵, Xinyi=欣怡, Haoran=浩然, Zixuan=梓轩, Yutong=雨桐,
  Guohua=国华, Yulan=玉兰`);
const CHINESE_FAMILY = pairs(`
  Wang=王, Li=李, Zhang=张, Liu=刘, Chen=陈, Yang=杨, Zhao=赵, Huang=黄, Zhou=周, Wu=吴, Xu=徐, Sun=孙, Hu=胡, Zhu=朱,
  Gao=高, Lin=林, He=何, Guo=郭, Ma=马, Luo=罗, Liang=梁, Song=宋, Zheng=郑, Xie=谢, Han=韩, Tang=唐, Feng=冯, Yu=于,
  Dong=董, Xiao=萧, Cheng=程, Cao=曹, Yuan=袁, Deng=邓`);

const INDIAN_GIVEN = pairs(`
  Aarav=आरव, Amit=अमित, Anil=अनिल, Anita=अनीता, Anjali=अंजलि, Arjun=अर्जुन, Asha=आशा, Deepak=दीपक, Divya=दिव्या,
  Gaurav=गौरव, Geeta=गीता, Karan=करण, Kavita=कविता, Kiran=किरण, Lakshmi=लक्ष्मी, Manish=मनीष, Meena=मीना, Mohan=मोहन,
  Neha=नेहा, Pooja=पूजा, Pradeep=प्रदीप, Priya=प्रिया, Rahul=राहुल, Rajesh=राजेश, Rakesh=राकेश, Ravi=रवि, Rekha=रेखा,
  Rohit=रोहित, Sanjay=संजय, Seema=सीमा, Sunita=सुनीता, Suresh=सुरेश, Vijay=विजय, Vikram=विक्रम`);
const INDIAN_FAMILY = pairs(`
  Sharma=शर्मा, Verma=वर्मा, Singh=सिंह, Kumar=कुमार, Gupta=गुप्ता, Yadav=यादव, Patel=पटेल, Mishra=मिश्रा, Tiwari=तिवारी,
  Pandey=पांडेय, Joshi=जोशी, Chauhan=चौहान, Thakur=ठाकुर, Rathore=राठौर, Agarwal=अग्रवाल, Jain=जैन, Mehta=मेहता,
  Shah=शाह, Desai=देसाई, Kulkarni=कुलकर्णी, Deshmukh=देशमुख, Patil=पाटिल, Nair=नायर, Reddy=रेड्डी, Rao=राव, Iyer=अय्यर,
  Das=दास, Ghosh=घोष, Banerjee=बनर्जी, Saxena=सक्सेना, Srivastava=श्रीवास्तव, Chaudhary=चौधरी`);

const THAI_GIVEN = pairs(`
  Somchai=สมชาย, Somsak=สมศักดิ์, Somying=สมหญิง, Prasert=ประเสริฐ, Wichai=วิชัย, Surachai=สุรชัย, Anan=อนันต์, Arun=อรุณ,
  Chaiwat=ชัยวัฒน์, Kanya=กัญญา, Kittisak=กิตติศักดิ์, Malee=มาลี, Manee=มานี, Narong=ณรงค์, Natthaphong=ณัฐพงศ์,
  Niran=นิรันดร์, Nonglak=นงลักษณ์, Orathai=อรทัย, Phimchanok=พิมพ์ชนก, Piyawan=ปิยวรรณ, Pornthip=พรทิพย์, Prapha=ประภา,
  Rattana=รัตนา, Sakda=ศักดา, Siriporn=ศิริพร, Suda=สุดา, Sukanya=สุกัญญา, Sunisa=สุนิสา, Supaporn=สุภาพร, Thawat=ธวัช,
  Wanna=วรรณา, Wirat=วิรัตน์, Yuphin=ยุพิน`);
const THAI_FAMILY = pairs(`
  Jaidee=ใจดี, Suksawat=สุขสวัสดิ์, Thongdee=ทองดี, Srisuk=ศรีสุข, Wongsawat=วงศ์สวัสดิ์, Boonmee=บุญมี, Kaewmanee=แก้วมณี,
  Chaiyasit=ชัยสิทธิ์, Rattanakul=รัตนกุล, Saetang=แซ่ตั้ง, Saelim=แซ่ลิ้ม, Phromma=พรหมมา, Khamdee=คำดี, Boonsong=บุญส่ง,
  Srisai=ศรีใส, Inthara=อินทรา, Panya=ปัญญา, Saengthong=แสงทอง, Chanta=จันทา, Chanthawong=จันทวงศ์, Phetcharat=เพชรรัตน์,
  Rungrueang=รุ่งเรือง, Charoensuk=เจริญสุข, Phongphan=พงษ์พันธ์, Sukkasem=สุขเกษม, Kongkaew=คงแก้ว, Duangdee=ดวงดี,
  Kaewsai=แก้วใส, Phuangthong=พวงทอง, Yodkaew=ยอดแก้ว, Mueangthong=เมืองทอง, Boonrueang=บุญเรือง, Thongsuk=ทองสุข,
  Srithong=ศรีทอง`);

const FILIPINO_GIVEN = pairs(`
  Maria, Jose, Juan, Ana, Angelica, Mark, John Paul, Jerome, Michael, Christian, Angelo, Rodel, Rommel, Reynaldo,
  Eduardo, Ricardo, Roberto, Fernando, Antonio, Manuel, Rosario, Teresa, Carmela, Corazon, Imelda, Luzviminda, Marites,
  Maricel, Jocelyn, Rowena, Analyn, Cherry, Liza, Joy, Grace, Nino=Niño`);
const FILIPINO_FAMILY = pairs(`
  Reyes, Santos, Cruz, Dela Cruz, Bautista, Ocampo, Garcia, Mendoza, Torres, Tomas, Andrada, Castillo, Flores,
  Villanueva, Ramos, Castro, Rivera, Aquino, Navarro, Salazar, Mercado, Dizon, Manalo, Macaraeg, Dimaculangan,
  Pangilinan, Lacson, Tolentino, Domingo, Gonzales, Pena=Peña, Munoz=Muñoz, Nunez=Nuñez, Ibanez=Ibañez, Zuniga=Zuñiga,
  Cabanas=Cabañas`);

const KOREAN_GIVEN = pairs(`
  Min-jun=민준, Seo-jun=서준, Do-yun=도윤, Ye-jun=예준, Ji-ho=지호, Ji-hoon=지훈, Jun-seo=준서, Hyun-woo=현우,
  Dong-hyun=동현, Seung-hyun=승현, Sung-min=성민, Jae-hyun=재현, Tae-yang=태양, Young-ho=영호, Sang-hoon=상훈,
  Seo-yeon=서연, Seo-yun=서윤, Ji-woo=지우, Ha-eun=하은, Ha-yoon=하윤, Min-seo=민서, Ji-min=지민, Su-bin=수빈, Ye-jin=예진,
  Eun-ji=은지, Yu-jin=유진, Hye-jin=혜진, Mi-sook=미숙, Young-hee=영희, Soo-jin=수진, Ji-hye=지혜, So-young=소영`);
const KOREAN_FAMILY = pairs(`
  Kim=김, Lee=이, Park=박, Choi=최, Jung=정, Kang=강, Cho=조, Yoon=윤, Jang=장, Lim=임, Han=한, Oh=오, Seo=서, Shin=신,
  Kwon=권, Hwang=황, Ahn=안, Song=송, Ryu=류, Jeon=전, Hong=홍, Ko=고, Moon=문, Yang=양, Son=손, Bae=배, Baek=백, Heo=허,
  Nam=남, Shim=심, Noh=노, Ha=하`);

const INDONESIAN_GIVEN = pairs(`
  Budi, Agus, Siti, Dewi, Sri, Eko, Andi, Rina, Wahyu, Rizky, Dian, Putri, Joko, Slamet, Bambang, Hendra, Yanti, Fitri,
  Indah, Ratna, Yusuf, Ahmad, Nur, Rudi, Dedi, Asep, Ujang, Iwan, Nina, Maya, Tuti, Endang`);
const INDONESIAN_FAMILY = pairs(`
  Santoso, Wijaya, Susanto, Setiawan, Kurniawan, Hidayat, Saputra, Pratama, Nugroho, Wibowo, Gunawan, Hartono, Suryadi,
  Purnomo, Siregar, Nasution, Simanjuntak, Sitompul, Lubis, Harahap, Hutapea, Ginting, Tanjung, Sutrisno, Mulyadi,
  Budiman, Firmansyah, Ramadhan, Maulana, Fauzi, Utomo, Prasetyo, Kusuma, Halim, Irawan`);

const HONG_KONG_GIVEN = pairs(`
  Tai Man=大文, Chi Ming=志明, Ka Yan=嘉欣, Wing Yan=詠欣, Mei Ling=美玲, Siu Ming=小明, Wai Man=偉文, Kwok Keung=國強,
  Chi Keung=志強, Kin Wah=建華, Wing Sze=詠詩, Hoi Yan=凱欣, Ka Man=嘉文, Wai Ling=慧玲, Sau Ying=秀英, Yuk Lan=玉蘭,
  Lai Wah=麗華, Man Kit=文傑, Chun Kit=俊傑, Ka Ho=家豪, Tsz Hin=子軒, Wai Kit=偉傑, Kam Wing=錦榮, Yiu Ming=耀明,
  Pui Shan=佩珊, Suet Ying=雪盈, Lok Yiu=樂瑤, Cheuk Yan=卓欣, Ho Yin=浩賢, Shuk Fan=淑芬, Kwok Wah=國華, Wing Kei=詠琪,
  Ching Yi=靜儀`);
const HONG_KONG_FAMILY = pairs(`
  Chan=陳, Leung=梁, Wong=黃, Lam=林, Lee=李, Cheung=張, Ng=吳, Ho=何, Lau=劉, Yeung=楊, Chow=周, Kwok=郭, Tang=鄧,
  Cheng=鄭, Tsang=曾, Fung=馮, Yip=葉, Poon=潘, Tse=謝, Mak=麥, So=蘇, Law=羅, Lo=盧, Hui=許, Yuen=袁, Tam=譚, Lui=呂,
  Choi=蔡, Chu=朱, Kwan=關, Siu=蕭, Ma=馬`);

const MALAY_MEN = pairs(`
  Ahmad, Aiman, Amir, Azlan, Azman, Danish, Faizal, Farid, Hafiz, Haikal, Hakim, Hamzah, Harith, Hassan, Ibrahim, Imran,
  Irfan, Ismail, Jamal, Kamal, Khairul, Luqman, Nasir, Othman, Rahim, Rashid, Razak, Rizal, Rosli, Shahrul, Syafiq,
  Yusof, Zainal, Zulkifli`);
const MALAY_WOMEN = pairs(`
  Aisyah, Aminah, Azizah, Faridah, Fatimah, Hajar, Halimah, Haslina, Hidayah, Izzati, Jamilah, Kamariah, Khadijah,
  Laila, Liyana, Mariam, Maznah, Nabila, Nadia, Noraini, Norhayati, Nurul Ain, Rohana, Rosnah, Salmah, Sharifah,
  Siti Hajar, Siti Aminah, Suraya, Zaleha, Zarina, Zubaidah`);
const MALAYSIAN_CHINESE_GIVEN = pairs(`
  Wei Ming=伟明, Mei Ling=美玲, Kok Wai=国伟, Chee Keong=志强, Siew Ling=秀玲, Hui Min=慧敏, Jia Hui=佳慧, Kah Wai=嘉伟,
  Xin Yi=欣怡, Boon Huat=文发, Chee Seng=志成, Eng Hock=荣福, Li Ying=丽英, Pei Shan=佩珊, Swee Lan=瑞兰, Wai Kit=伟杰,
  Zi Xuan=子轩, Jun Jie=俊杰, Mei Fong=美芳, Soon Heng=顺兴, Kim Hock=金福, Lay Hoon=丽云, Poh Choo=宝珠, Choon Hwa=春华,
  Yoke Lan=玉兰, Sook Yee=淑仪, Chin Hock=振福, Teck Seng=德成, Hui Ling=慧玲, Jia Wei=佳伟, Shu Fen=淑芬`);
const MALAYSIAN_CHINESE_FAMILY = pairs(`
  Tan=陈, Lim=林, Lee=李, Ng=黄, Wong=黄, Chong=张, Cheah=谢, Goh=吴, Teoh=张, Ong=王, Chan=陈, Yap=叶, Khoo=邱, Lau=刘,
  Low=刘, Ho=何, Koh=许, Chin=陈, Loh=罗, Foo=符, Chua=蔡, Gan=颜, Tay=郑, Teh=郑, Yeoh=杨, Sim=沈, Toh=卓, Ooi=黄, Soo=苏,
  Chew=周, Liew=刘`);
const TAMIL_MEN = pairs(`
  Arumugam=ஆறுமுகம், Balan=பாலன், Chandran=சந்திரன், Ganesan=கணேசன், Gopal=கோபால், Kannan=கண்ணன், Karthik=கார்த்திக்,
  Krishnan=கிருஷ்ணன், Kumar=குமார், Kumaran=குமரன், Maniam=மணியம், Mohan=மோகன், Murugan=முருகன், Muthu=முத்து, Nathan=நாதன்,
  Perumal=பெருமாள், Prakash=பிரகாஷ், Raja=ராஜா, Rajan=ராஜன், Rajendran=ராஜேந்திரன், Ramasamy=ராமசாமி, Ravi=ரவி,
  Saravanan=சரவணன், Sathish=சதீஷ், Selvam=செல்வம், Siva=சிவா, Subramaniam=சுப்பிரமணியம், Suresh=சுரேஷ், Velu=வேலு, Vijay=விஜய்,
  Vijayan=விஜயன்`);
const TAMIL_WOMEN = pairs(`
  Anjali=அஞ்சலி, Devi=தேவி, Gayathri=காயத்ரி, Kavitha=கவிதா, Lakshmi=லட்சுமி, Mala=மாலா, Malar=மலர், Meena=மீனா, Nithya=நித்யா,
  Parvathi=பார்வதி, Priya=பிரியா, Radha=ராதா, Saraswathy=சரஸ்வதி, Selvi=செல்வி, Shanti=சாந்தி, Sumathi=சுமதி, Uma=உமா, Vani=வாணி,
  Vasanthi=வசந்தி`);

const BANGLADESHI_GIVEN = pairs(`
  Rahim=রহিম, Karim=করিম, Kamal=কামাল, Jamal=জামাল, Hasan=হাসান, Rafiq=রফিক, Shafiq=শফিক, Selim=সেলিম, Habib=হাবিব,
  Masud=মাসুদ, Faruk=ফারুক, Arif=আরিফ, Sohel=সোহেল, Tanvir=তানভীর, Imran=ইমরান, Nasir=নাসির, Monir=মনির, Jasim=জসিম,
  Fatema=ফাতেমা, Ayesha=আয়েশা, Nasrin=নাসরিন, Shirin=শিরিন, Rehana=রেহানা, Salma=সালমা, Rokeya=রোকেয়া, Sharmin=শারমিন,
  Farzana=ফারজানা, Taslima=তাসলিমা, Jesmin=জেসমিন, Rumana=রুমানা, Sabina=সাবিনা, Moriom=মরিয়ম, Nazma=নাজমা`);
const BANGLADESHI_FAMILY = pairs(`
  Rahman=রহমান, Islam=ইসলাম, Hossain=হোসেন, Ahmed=আহমেদ, Khan=খান, Chowdhury=চৌধুরী, Sarkar=সরকার, Sheikh=শেখ,
  Talukder=তালুকদার, Mollah=মোল্লা, Haque=হক, Ali=আলী, Alam=আলম, Bhuiyan=ভূঁইয়া, Sikder=সিকদার, Howlader=হাওলাদার,
  Mondol=মণ্ডল, Biswas=বিশ্বাস, Majumder=মজুমদার, Patwary=পাটোয়ারী, Kazi=কাজী, Mahmud=মাহমুদ, Siddiqui=সিদ্দিকী, Kabir=কবির,
  Khandaker=খন্দকার, Mirza=মির্জা, Munshi=মুন্সী, Pramanik=প্রামাণিক, Akand=আকন্দ, Gazi=গাজী, Dewan=দেওয়ান, Bepari=বেপারী,
  Sardar=সরদার, Fakir=ফকির`);

const PAKISTANI_GIVEN = pairs(`
  Muhammad Ali=محمد علی, Ahmed=احمد, Hassan=حسن, Hussain=حسین, Usman=عثمان, Bilal=بلال, Imran=عمران, Kamran=کامران,
  Faisal=فیصل, Asif=آصف, Tariq=طارق, Nadeem=ندیم, Naveed=نوید, Rashid=راشد, Saeed=سعید, Shahid=شاہد, Waqas=وقاص,
  Zubair=زبیر, Hamza=حمزہ, Adnan=عدنان, Junaid=جنید, Ayesha=عائشہ, Fatima=فاطمہ, Zainab=زینب, Maryam=مریم, Sana=ثناء,
  Hina=حنا, Nadia=نادیہ, Rabia=رابعہ, Saima=صائمہ, Shazia=شازیہ, Farah=فرح, Amna=آمنہ, Khadija=خدیجہ`);
const PAKISTANI_FAMILY = pairs(`
  Khan=خان, Malik=ملک, Butt=بٹ, Chaudhry=چوہدری, Sheikh=شیخ, Qureshi=قریشی, Siddiqui=صدیقی, Hashmi=ہاشمی, Ansari=انصاری,
  Abbasi=عباسی, Mirza=مرزا, Baig=بیگ, Mughal=مغل, Rajput=راجپوت, Bhatti=بھٹی, Awan=اعوان, Gondal=گوندل, Cheema=چیمہ,
  Warraich=وڑائچ, Bajwa=باجوہ, Janjua=جنجوعہ, Khokhar=کھوکھر, Memon=میمن, Soomro=سومرو, Baloch=بلوچ, Afridi=آفریدی,
  Yousafzai=یوسفزئی, Khattak=خٹک, Durrani=درانی, Bukhari=بخاری, Gilani=گیلانی, Naqvi=نقوی, Zaidi=زیدی, Rizvi=رضوی,
  Niazi=نیازی`);

/** How the customers of each country are named. Malaysia's shares follow its population only roughly. */
export const COMMUNITIES: Readonly<Record<CountryCode, readonly Community[]>> = {
  CN: [community(1, "family first", NO_LOCAL_SPACE, CHINESE_GIVEN, CHINESE_FAMILY)],
  IN: [community(1, "given first", SPACE, INDIAN_GIVEN, INDIAN_FAMILY)],
  TH: [community(1, "given first", SPACE, THAI_GIVEN, THAI_FAMILY)],
  PH: [community(1, "given first", SPACE, FILIPINO_GIVEN, FILIPINO_FAMILY)],
  KR: [community(1, "family first", NO_LOCAL_SPACE, KOREAN_GIVEN, KOREAN_FAMILY)],
  ID: [community(1, "given first", SPACE, INDONESIAN_GIVEN, INDONESIAN_FAMILY)],
  HK: [community(1, "family first", NO_LOCAL_SPACE, HONG_KONG_GIVEN, HONG_KONG_FAMILY)],
  MY: [
    community(7, "given first", same(" bin "), MALAY_MEN, MALAY_MEN),
    community(7, "given first", same(" binti "), MALAY_WOMEN, MALAY_MEN),
    community(4, "family first", NO_LOCAL_SPACE, MALAYSIAN_CHINESE_GIVEN, MALAYSIAN_CHINESE_FAMILY),
    community(1, "given first", { latin: " a/l ", local: " த/பெ " }, TAMIL_MEN, TAMIL_MEN),
    community(1, "given first", { latin: " a/p ", local: " த/பெ " }, TAMIL_WOMEN, TAMIL_MEN),
  ],
  BD: [community(1, "given first", SPACE, BANGLADESHI_GIVEN, BANGLADESHI_FAMILY)],
  PK: [community(1, "given first", SPACE, PAKISTANI_GIVEN, PAKISTANI_FAMILY)],
};

function community(
  weight: number,
  order: Community["order"],
  joint: NamePair,
  given: readonly NamePair[],
  family: readonly NamePair[],
): Community {
  return { weight, order, joint, given, family };
}

/** Reads "Latin=local, Latin=local"; a name without "=" is written the same in both. */
function pairs(list: string): readonly NamePair[] {
  return list.split(",").map((entry) => {
    const [latin = "", local = latin] = entry.trim().split("=");
    return { latin, local };
  });
}

function same(text: string): NamePair {
  return { latin: text, local: text };
}
