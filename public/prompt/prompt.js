// Whether what somebody types reads like a child at risk, so that the page can say: speak to the safeguarding lead, now.
//
// The browser asks this of the words in front of it, and nobody else ever learns the answer. Nothing of it may be kept (promise P51):
// no request, storage, history, event, attribute or measure of time. A disclosure belongs to the safeguarding lead and into their record
// alone; a trace of it here would be a second, unguarded file on a child, which an access request could bring into the wrong hands at
// home. So the answer is yes or no, which word it was never leaves the function, and no caller may do more with a yes than show the
// reminder, whose text stands in the page already (app/src/wellbeing/note.rs).
//
// It looks for words, not for meaning. It reacts to "Dad beat me at chess" and misses what is said in other words or another language;
// it is a reminder to an adult and never a reason to think that all is well. The kinds of harm are those that the statutory guidance
// "Keeping children safe in education" asks every member of staff to know.

/** So many words may lie between the two halves of a pair of NEAR. */
const REACH = 6;

/**
 * Words that are enough by themselves. A star stands for any ending; words with a bar between them are alternatives, and those with a
 * space follow one another.
 */
export const PHRASES = [
  // harm by others
  "abus*",
  "assault*",
  "molest*",
  "raped|raping|rapes|rape|rapist",
  "bruis*",
  "black eye|eyes",
  "burn|bite|belt|finger|cigarette mark|marks",
  "cigarette burn*",
  "mark|marks on his|her|their|my arm*|leg*|neck|back|face|body|wrist*",
  "strangl*",
  "chok*",
  "beaten|battered",
  "hit|hits|hitting|slap*|punch*|kick*|smack*|beats|beating|whack*|pinch*|shak*|grabs|grabbed me|him|her|them|us",
  "hurt|hurts|hurting me|him|us|them",
  "hurts|hurting her",
  "hurt|hurts|hurting|hit|hits|hitting|unsafe|shouted|shouting at|in home",
  "hurt|hit by",
  "bit|bites|biting me|him|her|them",
  "drunk",
  "touched|touching",
  "touches me|him|her|them",
  "private part|parts",
  "sexual*|sexting|nude|nudes|naked|porn*|indecent*|incest",
  "groomed|grooming|groomer*",
  "send|sent|sends|sending|shared|wants|asked photo*|picture*|pic|pics|selfie* of himself|herself|themselves|myself",
  "pregnan*",
  "violen*",
  "domestic abuse|violence",
  "threat*",
  "blackmail*",
  "kidnap*|abduct*|stalk*",
  "keep|kept|keeping it|this|a secret",
  "keep|kept|keeping it|this a secret",
  "our|their secret",
  "not|dont|never to tell",
  "dont|cant tell anyone|anybody|mum|dad",
  "if i|he|she|they tell|tells|told",
  // want of care
  "neglect*",
  "starv*",
  "no|without food",
  "nothing to eat",
  "not fed",
  "hungry at home",
  "left alone|outside",
  "home alone",
  "locked in|out|up|inside|outside",
  "nowhere to sleep|live|go",
  "kicked|thrown|chucked out",
  "homeless*",
  "sleeping|sleeps|slept rough|outside",
  "sleeping|sleeps|slept in the|a|their car|street|park",
  // harm to oneself
  "self harm*",
  "self injur*",
  "selfharm*",
  "suicid*",
  "overdos*",
  "kill*",
  "cut|cuts|cutting|hurt|hurts|hurting|burn|burns|burning|harm|harms|harming|hit|hits|hitting myself|himself|herself|themselves|themself",
  "want|wants|wanted|wish|wishes to die",
  "wish|wishes i|he|she|they was|were|is dead",
  "better off dead|without",
  "end|ends|ending my|his|her|their|it life|all",
  "hang|hanging|hanged myself|himself|herself|themselves",
  "not|dont|doesnt|didnt want|wanting to live",
  "not|dont|doesnt|didnt want|wanting to be alive|here",
  "no reason|point to|in live|living",
  "took|taken|take pills|tablets",
  // away from home
  "run|runs|running|ran away",
  "runaway*",
  "missing from home|care",
  "go|going|went missing",
  // exploitation, gangs and weapons
  "county line|lines",
  "gang|gangs",
  "drug|drugs|dealer|dealers|dealing|cocaine|heroin|ketamine|cannabis|weed",
  "weapon*",
  "knife|knives|machete*",
  "gun|guns|firearm*",
  "stab|stabs|stabbed|stabbing",
  "acid attack*",
  "traffick*",
  "exploit*",
  "slavery",
  "radicalis*|radicaliz*|extremis*|terroris*",
  // practices with a name
  "fgm",
  "f g m",
  "female genital",
  "genital*",
  "cutting season|ceremony",
  "force|forces|forced|forcing marriage*",
  "force|forces|forced|forcing|made to|into marry|marriage*|marrying",
  "force|forces|forced|forcing|make|makes|made|making me|him|her|them marry",
  "force|forces|forced|forcing me|him|her|them to|into marry|marriage*|marrying",
  "get|getting married|engaged abroad|to",
  "honour|honor based|killing|killings|violence|crime",
  "breast iron*",
  "witchcraft|exorcis*",
  "spirit possession",
  // fear
  "not|dont|doesnt|never safe",
  "not|dont|doesnt|never feel safe",
  "unsafe",
  "danger|dangerous",
  "scared|afraid|frightened|terrified of him|her|them",
  "scared|afraid|frightened|terrified|worried|refus* to|about|of go|going home",
  "not|doesnt|dont|didnt want|wants|wanted to go|going home",
  "disclos*",
  "safeguard*",
];

/** Who lives with a child or is close to it. */
const CLOSE =
  "mum*|mom|mam|dad*|father*|mother*|stepdad*|stepmum*|stepmom*|stepfather*|stepmother*|stepbrother*|parent*|uncle*|aunt*|cousin*|grandad*|grandpa*|granddad*|nan|nana|boyfriend*|girlfriend*|carer*|foster*";

/** Two words near each other, in either order: fear or hurt, and the people and places that it may come from. */
export const NEAR = [
  [
    "scared|scary|afraid|frighten*|terrif*|dread*|hates|hate|flinch*|hiding|hides",
    CLOSE + "|" + "brother*|sister*|teacher*|home|house",
  ],
  [
    "hit|hits|hitting|hurt|hurts|hurting|slap*|punch*|kicked|kicks|kicking|beat|beats|beating|smack*|whack*|burn|burns|burnt|burned|burning|bites|bitten|push*|pinch*|shook|shakes|shaking|grab*|threw|throws|drag*|belt|belted|drinking|screams|screaming|police|arrest*|prison",
    CLOSE,
  ],
  [
    "touch*|kiss*|cuddl*|undress*|bed|bath",
    "uncle*|cousin*|stepdad*|stepfather*|stepbrother*|boyfriend*|stranger*|grandad*|granddad*|grandpa*|older",
  ],
];

/** "shak*|hit" as it is asked: whole words, and how others begin. */
const part = (text) => {
  const known = text.split("|");
  const whole = new Set(known.filter((word) => !word.endsWith("*")));
  const stems = known.filter((word) => word.endsWith("*")).map((word) => word.slice(0, -1));
  return (word) => whole.has(word) || stems.some((stem) => word.startsWith(stem));
};
const phrases = PHRASES.map((phrase) => phrase.split(" ").map(part));
const pairs = NEAR.map((pair) => pair.map(part));

/** Stands inside a word without being seen there (soft hyphen, joiners, direction marks), or joins it: "don’t" and "dont" are one. */
const LEFT_OUT = /[\u{ad}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2064}\u{feff}'’‘`´ʼ＇]/gu;

/** The words of a text in small plain letters. */
export const words = (text) =>
  text
    // Before they are taken apart: an acute accent by itself would become a space.
    .replace(LEFT_OUT, "")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .split(/[^\p{Alphabetic}\p{N}]+/u)
    .filter(Boolean);

/** Whether they are near each other: where the last word of each half stood; earlier ones are farther away. */
const near = (text, [is, isOther]) => {
  let [one, other] = [-Infinity, -Infinity];
  return text.some((word, at) => {
    if (is(word)) one = at;
    if (isOther(word)) other = at;
    return Math.abs(one - other) <= REACH;
  });
};

/**
 * Whether the text holds a word or phrase that suggests a disclosure or an immediate danger. Letters are compared without case, accents
 * and the kind of quotation mark; words are whole. Takes time in proportion to the length of the text: each word is compared with each
 * entry of a fixed list once, and nothing is tried again.
 */
export const noticed = (text) => {
  const said = words(text);
  return (
    said.some((_, at) => phrases.some((phrase) => phrase.every((is, n) => at + n < said.length && is(said[at + n])))) ||
    pairs.some((pair) => near(said, pair))
  );
};

// Beside each box for notes stands a quiet place, the same for every box whether or not anything is noticed; only what is in it differs,
// and only while the words are there.
const places = new WeakMap();
const look = (box) => {
  let place = places.get(box);
  if (!place?.isConnected) {
    place = Object.assign(document.createElement("div"), { className: "prompt" });
    place.setAttribute("role", "status");
    box.after(place);
    places.set(box, place);
  }
  const yes = noticed(box.value);
  if (yes === place.hasChildNodes()) return;
  const reminder = document.querySelector("template[data-prompt]");
  place.replaceChildren(...(yes && reminder ? [reminder.content.cloneNode(true)] : []));
};

if (globalThis.document) {
  const BOX = "textarea[data-notes]";
  // The place is there before anything is said in it: what reads the page aloud hears only what comes into a place it knows.
  for (const kind of ["focusin", "input"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.matches?.(BOX)) look(event.target);
    });
  }
  for (const box of document.querySelectorAll(BOX)) look(box);
}
