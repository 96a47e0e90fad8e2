import { addPupil, give, openGroup, putIn } from './pupils.ts';
import { NAMES, type Page } from './test.ts';

/** Puts pupils into a new registration group and the group on Imran's caseload. Its address, and theirs. */
export async function classOf(admin: Page, name: string, ...pupils: (readonly [first: string, last: string])[]): Promise<{ group: string; id: string; pupils: string[] }> {
  const addresses: string[] = [];
  for (const [first, last] of pupils) addresses.push(await addPupil(admin, { first, last }));
  const group = await openGroup(admin, name);
  await putIn(admin, group, ...pupils.map(([first, last]) => `${first} ${last}`));
  await give(admin, NAMES.teacher1, group);
  return { group, id: group.split('/').at(-1)!, pupils: addresses };
}

/** A pupil in the form for a row of check-ins. */
export const pupil = (page: Page, name: string) => page.locator('li.pupil').filter({ hasText: name });

/** The step of a level, which is pressed. */
export const step = (page: Page, name: string, domain: string, level: number) =>
  pupil(page, name).locator(`fieldset[data-domain="${domain}"] label[data-level="${level}"]`);

/** What says whether it is chosen. */
export const chosen = (page: Page, name: string, domain: string, level: number | '') =>
  pupil(page, name).locator(`fieldset[data-domain="${domain}"] input[value="${level}"]`);

/** A pupil in the heat map. */
export const line = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(name) });
