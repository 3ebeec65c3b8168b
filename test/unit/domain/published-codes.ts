/** A payment code that somebody has published. */
export interface PublishedCode {
  readonly of: string;
  /** Who has published it, and where. */
  readonly source: string;
  readonly text: string;
}

/** Codes that are sound. */
export const SOUND: readonly (PublishedCode & { readonly says: object })[] = [
  {
    of: "EMVCo, with a name in Chinese",
    source: "EMV QRCPS, Merchant-Presented Mode, 1.0 (July 2017), the example with a language template",
    text:
      "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT" +
      "6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME" +
      "91320016A0112233449988770708123456786304A13A",
    says: {
      isDynamic: true,
      accounts: [
        { id: "29", guid: "D15600000000", fields: { "05": "A93FO3230Q" } },
        { id: "31", guid: "D15600000001", fields: { "03": "12345678" } },
      ],
      currency: "CNY",
      amount: { minor: 2_372n, currency: "CNY" },
      surcharge: "asked",
      country: "CN",
      name: "BEST TRANSPORT",
      city: "BEIJING",
      localName: "最佳运输",
      additional: { storeLabel: "1234", customerLabel: "***", terminalLabel: "A6008667", consumerDataRequest: "ME" },
    },
  },
  {
    of: "QRIS",
    source: "the README of github.com/idlanyor/qris-converter",
    text:
      "00020101021126570011ID.DANA.WWW011893600915302259148102090225914810303UMI51440014ID.CO.QRIS.WWW" +
      "0215ID10200176114730303UMI5204581253033605802ID5922Warung Sayur Bu Sugeng6010Kab. Demak610559567630458C7",
    says: {
      isDynamic: false,
      accounts: [
        {
          id: "26",
          guid: "ID.DANA.WWW",
          fields: { "01": "936009153022591481", "02": "022591481", "03": "UMI" },
        },
        {
          id: "51",
          scheme: "QRIS",
          guid: "ID.CO.QRIS.WWW",
          fields: { nationalMerchantId: "ID1020017611473", merchantCriteria: "UMI" },
        },
      ],
      currency: "IDR",
      country: "ID",
      name: "Warung Sayur Bu Sugeng",
      city: "Kab. Demak",
      additional: {},
    },
  },
  {
    of: "QRIS, of an acquirer alone",
    source: "the README of github.com/sunary/qris",
    text:
      "00020101021226380016ID.CO.SHOPEE.WWW010201020815863724530336054061440005802ID5921PT. SHOPPEE INDONESIA" +
      "6007JAKARTA62180814gen by go-qris63049635",
    says: {
      isDynamic: true,
      accounts: [{ id: "26", guid: "ID.CO.SHOPEE.WWW", fields: { "01": "01", "02": "15863724" } }],
      currency: "IDR",
      amount: { minor: 14_400_000n, currency: "IDR" },
      country: "ID",
      name: "PT. SHOPPEE INDONESIA",
      city: "JAKARTA",
      additional: { purpose: "gen by go-qris" },
    },
  },
  {
    of: "QR Ph",
    source: "the example of a program on GitHub that makes GCash links of such codes (gcash-deeplink)",
    text:
      "00020101021228530011ph.ppmi.p2m0111SRCPPHM2XXX0312MRCHNT-4H3TZ05030005204519953036085406100.005802PH" +
      "5925SOCMED DIGITAL MARKETING 6010MakatiCity62650010ph.starpay0315SOCMED DIGITAL 0509OR#1Z1CSC0708TodayPay0803***" +
      "88290012ph.ppmi.qrph0109OR#1Z1CSC63040275",
    says: {
      isDynamic: true,
      accounts: [
        {
          id: "28",
          scheme: "QR Ph",
          guid: "ph.ppmi.p2m",
          fields: { acquirer: "SRCPPHM2XXX", merchantId: "MRCHNT-4H3TZ", "05": "000" },
        },
      ],
      currency: "PHP",
      amount: { minor: 10_000n, currency: "PHP" },
      country: "PH",
      // Without the space at its end.
      name: "SOCMED DIGITAL MARKETING",
      city: "MakatiCity",
      additional: {
        "00": "ph.starpay",
        storeLabel: "SOCMED DIGITAL ",
        referenceLabel: "OR#1Z1CSC",
        terminalLabel: "TodayPay",
        purpose: "***",
      },
    },
  },
  {
    of: "a shop in Cambodia",
    source: "the README of github.com/phannaly/emv-qr-code",
    text:
      "00020101021252044131153137210116372101160123456789ABCDE6016Banteay Meanchey5913Kuntheas Shop5802KH540510.00" +
      "5303840621201081234567863041FF2",
    says: {
      isDynamic: true,
      accounts: [{ id: "15", fields: { value: "37210116372101160123456789ABCDE" } }],
      currency: "USD",
      amount: { minor: 1_000n, currency: "USD" },
      country: "KH",
      name: "Kuntheas Shop",
      city: "Banteay Meanchey",
      additional: { billNumber: "12345678" },
    },
  },
  {
    of: "PromptPay",
    source: "the README of the npm package promptpay-parse",
    text: "00020101021229370016A0000006770101110113006680111111153037645802TH540520.15630442BE",
    says: {
      isDynamic: true,
      accounts: [{ id: "29", scheme: "PromptPay", guid: "A000000677010111", fields: { mobile: "0066801111111" } }],
      currency: "THB",
      amount: { minor: 2_015n, currency: "THB" },
      country: "TH",
      additional: {},
    },
  },
  {
    of: "FPS",
    source: "the tests of Odoo's module for Hong Kong (l10n_hk)",
    text:
      "00020101021226330012hk.com.hkicl0313+852-6789123452040000530334454031005802HK5914company_1_data6002HK" +
      "62170513INV/TEST/00016304A154",
    says: {
      isDynamic: true,
      accounts: [{ id: "26", scheme: "FPS", guid: "hk.com.hkicl", fields: { mobile: "+852-67891234" } }],
      currency: "HKD",
      amount: { minor: 10_000n, currency: "HKD" },
      country: "HK",
      name: "company_1_data",
      city: "HK",
      additional: { referenceLabel: "INV/TEST/0001" },
    },
  },
  {
    of: "Bharat QR",
    source: "Razorpay's documentation of its QR codes",
    text:
      "000201010212021643926300000000850415540461000000008061661005900000000890827YESB0CMSNOC222333004882700126430010A000000524" +
      "0117razorpaybqr@icici02041.1027350010A0000005240117RZPGT8ildsFTgS5Sp52047531530335654041.105802IN5906zxcbmn6005Delhi" +
      "610611008562300514GT8ildsFTgS5Sp070838R004506304B6A9",
    says: {
      isDynamic: true,
      accounts: [
        { id: "02", fields: { value: "4392630000000085" } },
        { id: "04", fields: { value: "540461000000008" } },
        { id: "06", fields: { value: "6100590000000089" } },
        { id: "08", fields: { value: "YESB0CMSNOC2223330048827001" } },
        {
          id: "26",
          scheme: "Bharat QR",
          guid: "A000000524",
          fields: { vpa: "razorpaybqr@icici", leastAmount: "1.10" },
        },
        { id: "27", scheme: "Bharat QR", guid: "A000000524", fields: { reference: "RZPGT8ildsFTgS5Sp" } },
      ],
      currency: "INR",
      amount: { minor: 110n, currency: "INR" },
      country: "IN",
      name: "zxcbmn",
      city: "Delhi",
      additional: { referenceLabel: "GT8ildsFTgS5Sp", terminalLabel: "38R00450" },
    },
  },
  {
    of: "DuitNow, whose version is 02",
    source: "a list of mosques' codes for donations, in a public repository on GitHub",
    text:
      "00020201021126420014A000000615000101066033460210MD001295465204939953034585802MY5913MASJID NEGARA6002MY" +
      "627303251704936237869008996045430052017072988178750084448071617049359619050076304FD9C",
    says: {
      isDynamic: false,
      accounts: [
        {
          id: "26",
          scheme: "DuitNow",
          guid: "A0000006150001",
          fields: { acquirer: "603346", merchantId: "MD00129546" },
        },
      ],
      currency: "MYR",
      country: "MY",
      name: "MASJID NEGARA",
      city: "MY",
      additional: {
        storeLabel: "1704936237869008996045430",
        referenceLabel: "17072988178750084448",
        terminalLabel: "1704935961905007",
      },
    },
  },
];

/** Codes that were published damaged, or against the rules: what is wrong with them, by the field that is named. */
export const UNSOUND: readonly (PublishedCode & { readonly field: string })[] = [
  {
    of: "QRIS, with five objects missing in the middle",
    source: "a page of a car wash, in a public repository on GitHub",
    text:
      "00020101021126570011ID.DANA.WWW011893600915306314656402090631465640303UMI51440014ID.CO.QRIS.WWW" +
      "0215ID10200445049310303UMI52047ID5914FRESH WASH CAR6014Kab. Mojokerto61056138563047756",
    field: "code.63",
  },
  {
    of: "Bharat QR, with the CRC of another one",
    source: "an article about such codes (Merchant EMV QR Code Example, Yogesh Chander)",
    text:
      "0002010102120216407593000000105704165199800000012149061661005300000010420826YESB000007800786110000003326460010A0000005240" +
      "120mglpng.benow@yesbank02040.0027300010A000000524011221000101154252044900530335654040.005802IN5912BENOWMGL-PNG" +
      "6008Bandra E61064000516228051221000101154207080801410163044880",
    field: "code.63",
  },
  {
    of: "FPS, with a CRC that is out of date",
    source: "the template of a Python program for such codes, in a public repository on GitHub",
    text: "00020101021226270012hk.com.hkicl0207999999952040000530334454031235802HK5902NA6002HK630484E1",
    field: "code.63",
  },
  {
    of: "Bharat QR, with its CRC in lower case",
    source: "a program of India's Central Warehousing, in a public repository on GitHub",
    text:
      "000201010211021644038499331959060415522024099331959061661000309933195920825HDFC00000015010030812820026560010A0000005240" +
      "138centralwarehousingco.99331959@hdfcbank27430010A0000005240125STQ200318122305804I0401085204939953033565802IN" +
      "5923CENTRAL WAREHOUSING NEW6009New Delhi610611001662410525STQ200318122305804I0401080708993319596304e9fc",
    field: "code.63",
  },
  {
    of: "FPS, with an object that has no value",
    source: "the tests of a library for such codes, in a public repository on GitHub",
    text: "00020101021226340012HK.COM.HKICL010300402070009999520400005303344540555.005802NA5902NA6002NA620063046734",
    field: "code.62",
  },
];
