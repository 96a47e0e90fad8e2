// The contents of a paper as it brings them itself.
import { make } from "./surface.js";

const DEPTH = 4;
const MOST = 2000;

/** Fills the place for the contents; false where the paper has none. */
export async function fill(place, paper, gone) {
  let count = 0;
  const list = (entries, depth) =>
    make(
      "ul",
      {},
      ...entries.slice(0, MOST).flatMap(({ title, dest, items }) => {
        if ((count += 1) > MOST) return [];
        const words = title.trim() || "Without a name";
        const button = make("button", { type: "button", disabled: !dest }, words);
        button.addEventListener("click", () => {
          void paper.follow(dest);
          gone();
        });
        return [make("li", {}, button, ...(items.length && depth < DEPTH ? [list(items, depth + 1)] : []))];
      }),
    );
  const entries = await paper.outline();
  if (!entries?.length) return false;
  place.replaceChildren(make("h2", {}, "Contents"), list(entries, 1));
  return true;
}
