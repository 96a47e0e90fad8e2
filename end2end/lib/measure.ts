import axe from 'axe-core';
import { expect, type Page } from './test.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const AXE_WIDTHS = [320, 1280];
const WIDTHS = [320, 390, 640, 820, 1440, 1920]; // 640 is 1280 at 200 % zoom

interface Axe {
  run(where: Document, options: object): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
}

/**
 * What must hold of every page as it stands: axe finds nothing in light and dark, on a phone and on a laptop; nothing is
 * wider than the screen, from a small phone to a large screen, at 200 % zoom and with letters twice the size.
 */
export async function measure(page: Page, name: string): Promise<void> {
  const faults: string[] = [];
  await page.evaluate(axe.source);
  for (const width of AXE_WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const violations = await page.evaluate(async (values) => {
        const { axe } = window as unknown as { axe: Axe };
        return (await axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })).violations;
      }, RULES);
      for (const { id, help, nodes } of violations) faults.push(`${width} ${colorScheme}: ${id}, ${help}: ${nodes[0].html} ${nodes[0].failureSummary}`);
    }
  }
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await overflow(page);
    if (wide) faults.push(`${width}: ${wide}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  const wide = await overflow(page);
  if (wide) faults.push(`1280 with letters twice the size: ${wide}`);
  await page.evaluate(() => document.documentElement.style.removeProperty('font-size'));
  expect.soft(faults, name).toEqual([]);
}

/** Which element makes the page scroll sideways, if one does. */
function overflow(page: Page): Promise<string | undefined> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return undefined;
    const widest = [...document.body.querySelectorAll('*')].sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)[0];
    return `${scrollWidth} of ${clientWidth} px, by ${widest?.outerHTML.slice(0, 160)}`;
  });
}
