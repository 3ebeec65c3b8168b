import { parsePhoneNumberFromString, type PhoneNumberType } from "libphonenumber-js/max";
import { InvalidInput } from "../../src/domain/errors.ts";
import { parsePhone } from "../../src/domain/phone.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { CountryCode, Wallet } from "./wallets.ts";

/** Mobile numbers of one length: national significant number = prefix and subscriber digits. */
interface NumberRange {
  readonly prefixes: readonly string[];
  readonly digits: number;
}

/**
 * Ranges of the national numbering plans that are given to mobile phones: not all of them, and each wide enough for a
 * day's customers. The numbers made from them are invented but can be somebody's: never call or text them.
 */
const MOBILE_RANGES: Readonly<Record<CountryCode, readonly NumberRange[]>> = {
  CN: [
    range(
      "130 131 132 135 136 137 138 139 150 151 152 155 157 158 159 166 176 177 178 180 183 185 186 188 189 199",
      11,
    ),
  ],
  IN: [range("630 700 702 740 810 900 911 936 944 956 961 970 981 987 988 990 993 995 998 999", 10)],
  TH: [range("61 62 63 64 65 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99", 9)],
  PH: [
    range("905 906 915 916 917 918 919 920 921 926 927 928 929 935 939 945 947 949 950 951 961 977 995 998 999", 10),
  ],
  KR: [range("102 103 104 106 107 108 109", 10)],
  ID: [range("812 813 821 822 852 853 856 857 858 877 878 895 896 897", 11)],
  HK: [
    range(
      "512 513 540 546 551 561 602 603 610 611 631 641 651 661 671 681 691 901 902 910 921 931 940 951 961 971 981",
      8,
    ),
  ],
  MY: [range("12 16 19", 9), range("111 112 113 114 115", 10)],
  BD: [range("13 14 15 16 17 18 19", 10)],
  PK: [range("300 301 302 303 304 310 311 312 313 314 315 320 321 322 323 331 332 333 334 340 342 343 345 346", 10)],
};

/** An invented mobile number of the wallet's country in E.164 form, "+" included. */
export function makeMobileNumber(wallet: Wallet, random: Random): string {
  const { prefixes, digits } = random.pick(MOBILE_RANGES[wallet.country]);
  const prefix = random.pick(prefixes);
  const subscriber = Array.from({ length: digits - prefix.length }, () => random.below(10)).join("");
  return `+${wallet.callingCode}${prefix}${subscriber}`;
}

/** Kinds of lines that the metadata can tell from mobile phones. Some plans do not tell all apart by the number. */
const MOBILE_TYPES: readonly (PhoneNumberType | undefined)[] = ["MOBILE", "FIXED_LINE_OR_MOBILE", undefined];

/**
 * Reads a mobile number of the wallet's country, with its calling code or as it is written there, and gives it in E.164 form.
 * One that is possible there and not known to be something else is taken: ranges are opened before lists know them.
 * @throws InvalidInput naming `field`; the message leaves the number out
 */
export function parseMobileNumber(text: string, wallet: Wallet, field = "phone"): string {
  const number = parsePhone(text, field, wallet.country);
  const parsed = parsePhoneNumberFromString(number);
  if (parsed?.countryCallingCode !== wallet.callingCode || !MOBILE_TYPES.includes(parsed.getType())) {
    throw new InvalidInput(field, `a mobile number of ${wallet.countryName}, where ${wallet.name} has its customers`);
  }
  return number;
}

function range(prefixes: string, digits: number): NumberRange {
  return { prefixes: prefixes.split(" "), digits };
}
