// Text from elsewhere, made harmless to look at. It only ever becomes `textContent`.

const MOST = 512

// What is not seen, or changes how the text around it is seen: controls, formats (the bidirectional
// ones among them), separators of lines, surrogates without their other half, private and unassigned
// code points, fillers that look like nothing.
const UNSEEN = String.raw`[\p{C}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFE00-\uFE0D\uFFA0]|[\u{E0100}-\u{E01EF}]`

// Joiners stay where emoji and the scripts that are written with them need them.
const JOINING = String.raw`\p{scx=Arab}\p{scx=Beng}\p{scx=Deva}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Syrc}\p{scx=Taml}\p{scx=Telu}`
const JOINER = String.raw`(?<=[\p{ExtPict}\p{Emoji_Modifier}\uFE0F])\u200D(?=\p{ExtPict})|(?<=[${JOINING}])[\u200C\u200D](?=[${JOINING}])`

const HIDDEN = new RegExp(`(${JOINER})|${UNSEEN}`, 'gu')

/** The text with everything hidden in it written out, such as `\u{202e}`, and cut if it is long. */
export function visible(value, most = MOST) {
  const text = String(value)
  // A pair of surrogates is never cut in half: the half would be told as one.
  const end = text.length > most && isHigh(text.charCodeAt(most - 1)) ? most - 1 : most
  const shown = text.slice(0, end).replace(HIDDEN, (found, joiner) => joiner ?? escaped(found))
  return text.length > end ? `${shown}…` : shown
}

function escaped(character) {
  return `\\u{${character.codePointAt(0).toString(16)}}`
}

function isHigh(unit) {
  return unit >= 0xd800 && unit <= 0xdbff
}
