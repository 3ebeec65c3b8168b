import { InvalidInput } from "./errors.ts";

/** Characters of a name, or of a line for the payee (Max140Text). Characters are code points, in the normal form. */
export const MAX_TEXT_LENGTH = 140;

/** Longer than any text of `MAX_TEXT_LENGTH` can be before it is composed and trimmed, in UTF-16 units. */
const MAX_GIVEN_LENGTH = 4_096;

/**
 * What nobody sees, and what changes how the rest is read: controls, formats, halves of surrogate pairs, private use,
 * separators of lines, noncharacters, blanks that count as letters or symbols (U+3164, U+2800), and U+FFFC and U+FFFD,
 * which stand for what was lost on the way. Characters that this version of Unicode does not know yet are not among
 * them: relays run different versions, and rare characters of names are still being encoded.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800\ufffc\ufffd]/v;
/**
 * What pasting leaves around text, and is dropped there. Not among it: what stands for lost text, controls, and the two
 * overrides, under which people have read the text in another order than it is in.
 */
const EDGE = /[[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]--[\u202d\u202e]]/v;
const SPACES = /\p{Zs}+/gv;
/** With characters that this version of Unicode does not know yet. */
const READABLE = /[\p{L}\p{N}\p{P}\p{S}\p{Cn}]/v;
const NAMING = /[\p{L}\p{N}\p{Cn}]/v;

/** Letters and marks that can be seen. */
const SEEN = "[[\\p{L}\\p{M}]--\\p{Default_Ignorable_Code_Point}]";
/** The scripts in which a joiner changes how a word is written. */
const JOINING =
  "[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Nkoo}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}" +
  "\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}]";

/**
 * The hidden characters that writing needs, each where it has its effect and nowhere else: zero-width joiners in scripts
 * that have them (Bengali, Sinhala, Urdu), variation selectors behind Han and Mongolian letters, and what holds emoji
 * together. Each belongs to something that can be seen, so nothing can be hidden in a row of them.
 */
const NEEDED = new RegExp(
  [
    `(?<=[${SEEN}&&${JOINING}])(?:\\u200d|\\u200c(?=${SEEN}))`,
    "(?<=\\p{scx=Han})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]",
    "(?<=[\\p{L}&&\\p{scx=Mong}])[\\u180b-\\u180f]",
    "(?<=\\p{ExtPict})[\\ufe0e\\ufe0f]",
    "(?<=[#*0-9])\\ufe0f(?=\\u20e3)",
    "(?<=\\p{ExtPict}[\\p{EMod}\\ufe0f]?)\\u200d(?=\\p{ExtPict})",
  ].join("|"),
  "gv",
);

/** ASCII words with one space between them, as nearly all text is: that is its one form already. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/v;

/** What is wrong with a text. */
export type TextFault = "too long" | "hidden characters" | "nothing to read";

export class InvalidText extends InvalidInput {
  readonly fault: TextFault;

  constructor(field: string, rule: string, fault: TextFault) {
    super(field, rule);
    this.name = "InvalidText";
    this.fault = fault;
  }
}

/**
 * Brings one line of text to the one form in which it is stored, compared and sent: composed (NFC), without white space or
 * hidden characters around it, as pasting leaves them, every run of spaces inside it one space.
 * @param field what it is called, in errors
 * @throws InvalidText for a text that is empty, too long, or has hidden characters inside, where they could deceive; it
 * names them (U+202E) and quotes nothing
 */
export function parseText(text: string, field: string, maxLength = MAX_TEXT_LENGTH): string {
  if (text.length <= maxLength && PLAIN.test(text)) return text;
  const tooLong = () => new InvalidText(field, `at most ${maxLength} characters`, "too long");
  if (text.length > MAX_GIVEN_LENGTH) throw tooLong();
  const composed = text.normalize("NFC");
  const normal = HIDDEN.test(composed) ? withoutEdges(composed, field) : oneSpaced(composed);
  if (!READABLE.test(normal)) {
    throw new InvalidText(field, "not empty: something that can be read", "nothing to read");
  }
  if (lengthOf(normal) > maxLength) throw tooLong();
  return normal;
}

/**
 * A person's name, as it is stored, compared and sent: text that has a letter or a digit.
 * @throws InvalidText as `parseText`
 */
export function parseName(text: string, field: string): string {
  const name = parseText(text, field);
  if (!NAMING.test(name)) throw new InvalidText(field, "a name: at least one letter or digit", "nothing to read");
  return name;
}

/** Characters of what a key or the like is called. */
export const MAX_LABEL_LENGTH = 80;

/** @throws InvalidText as `parseText` */
export function parseLabel(text: string): string {
  return parseText(text, "label", MAX_LABEL_LENGTH);
}

/**
 * Makes text of what came from somebody who was held to another rule, and whom it cannot be given back to: what `parseText`
 * would refuse is left out, line breaks become spaces, and what is too long is cut.
 * @returns text that `parseText` takes as it is, or nothing where there is nothing to read
 */
export function cleanText(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH && PLAIN.test(text)) return text;
  const oneLine = (given: string) => given.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gv, " ");
  const visible = (given: string) => {
    const composed = given.normalize("NFC");
    // As nearly all of it is, which is a hundred times faster.
    if (!HIDDEN.test(composed)) return oneSpaced(composed);
    return joinWords(trim(charactersOf(composed).filter(({ isHidden }) => !isHidden)));
  };
  const cut = Array.from(visible(oneLine(text.slice(0, MAX_GIVEN_LENGTH))))
    .slice(0, MAX_TEXT_LENGTH)
    .join("");
  // Once more: letters that had something hidden between them compose, and the cut can have parted what belongs together.
  const clean = visible(cut);
  return READABLE.test(clean) ? clean : "";
}

/** The number of code points. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Of composed text with nothing hidden in it. */
function oneSpaced(composed: string): string {
  return composed.trim().replaceAll(SPACES, " ");
}

interface Character {
  readonly text: string;
  /** That it is not to be seen, and not needed where it is. */
  readonly isHidden: boolean;
}

function withoutEdges(text: string, field: string): string {
  const characters = trim(charactersOf(text));
  const hidden = characters.find(({ isHidden }) => isHidden);
  if (hidden !== undefined) throw new InvalidText(field, ruleFor(hidden.text), "hidden characters");
  return joinWords(characters);
}

function charactersOf(text: string): readonly Character[] {
  const composed = text.normalize("NFC");
  const needed = new Set(Array.from(composed.matchAll(NEEDED), ({ index }) => index));
  let at = 0;
  return Array.from(composed, (character) => {
    const isHidden = HIDDEN.test(character) && !needed.has(at);
    at += character.length;
    return { text: character, isHidden };
  });
}

function trim(characters: readonly Character[]): readonly Character[] {
  const isInside = ({ text, isHidden }: Character) => !EDGE.test(text) || (!isHidden && HIDDEN.test(text));
  const first = characters.findIndex(isInside);
  return first === -1 ? [] : characters.slice(first, characters.findLastIndex(isInside) + 1);
}

function joinWords(characters: readonly Character[]): string {
  return characters
    .map(({ text }) => text)
    .join("")
    .replaceAll(SPACES, " ");
}

/** Kinds of hidden characters, with what is said to each. The first that fits. */
const RULES: readonly (readonly [kind: RegExp, rule: string])[] = [
  [/[\n\r\u0085\p{Zl}\p{Zp}]/v, "one line of text, without line breaks"],
  [/\p{Cc}/v, "no control characters"],
  [/\p{Cs}/v, "well-formed Unicode, without half of a surrogate pair"],
  [/\p{Bidi_Control}/v, "no characters that change the order in which it is read"],
  [/\p{Co}/v, "no private-use characters, which others see as something else"],
  [/\p{Noncharacter_Code_Point}/v, "characters of Unicode only"],
  [/[\ufffc\ufffd]/v, "the original text in UTF-8: characters were lost in a conversion"],
];

function ruleFor(hidden: string): string {
  const rule = RULES.find(([kind]) => kind.test(hidden))?.[1] ?? "no invisible characters";
  const code = (hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `${rule} (U+${code})`;
}
