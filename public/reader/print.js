// Printing: every page as a picture, since the browser prints only what is drawn.
import { make } from "./surface.js";

/** Dots an inch: sharp on paper, and forty pages still fit into a tablet's memory. */
const RESOLUTION = 150;

/** `told` hears how far it is. */
export async function print(paper, told) {
  const holder = make("div", { id: "printed" });
  const addresses = [];
  try {
    for (let number = 1; number <= paper.pages; number += 1) {
      told(`Making page ${number} of ${paper.pages} ready for the printer …`);
      const { blob } = await paper.picture(number, RESOLUTION);
      const address = URL.createObjectURL(blob);
      addresses.push(address);
      const image = make("img", { alt: `Page ${number}`, src: address });
      await image.decode();
      holder.append(image);
    }
    told("");
    document.body.append(holder);
    document.documentElement.dataset.printing = "";
    window.print();
  } finally {
    delete document.documentElement.dataset.printing;
    holder.remove();
    for (const address of addresses) URL.revokeObjectURL(address);
  }
}
