import { oneClass } from '../lib/records.ts';
import { expect, NAMES, ready, test, title, type Page } from '../lib/test.ts';

// What a child may disclose.
const DISCLOSED = [
  'He says he gets hurt at home.',
  'She said “he hit me” and went quiet',
  'a bruise on her arm',
  'Bruising behind the ear',
  'someone touched him',
  'scared to go home',
  'Is frightened of his stepdad',
  'didn’t want to go home again',
  'self-harm marks?',
  'SELF HARMING',
  'has been cutting herself',
  'talked about suicide',
  'feeling suicidal',
  'says she wants to die',
  'wishes he was dead',
  'they would be better off without me',
  'possible abuse',
  'Neglected: no clean clothes',
  'there was no food in the house',
  'left alone all weekend',
  'worried about FGM this summer',
  'f.g.m.',
  'a forced marriage abroad',
  'forced to marry her cousin',
  'made her marry',
  'county lines',
  'talks about running away',
  'ran away on Sunday',
  'a weapon in his bag',
  'brought a knife',
  'keep it a secret',
  'told not to tell',
  'Mum’s boyfriend shouted and threw a plate, he hit her',
  'the uncle comes to her bed',
  'asked for nudes online',
  'Dad was drunk again at home',
  'he doesn\'t feel safe',
  'Child is in danger',
  'took tablets last night',
  'wants to end it all',
  'says he does not want to be here any more',
  'they slept in the car',
  'no point in living',
];

// Ordinary notes.
const ORDINARY = [
  '',
  ' \n\t ',
  'Calm at registration, shared her snack with Dominika.',
  'Scored a goal and shook hands with the other team.',
  'Finished the whole book about horses and stables.',
  'Needs new glasses; Mum will ring the optician.',
  'Worked hard on fractions, and took the sheet home.',
  'Grumpy before lunch, better after. Ate everything.',
  'Looks forward to the trip to the skills centre.',
  'Begun the new reading group with Mr Gunn.',
  'He was the groom in the class play.',
  'Her brother starts in Reception in September.',
  'Nan came to the assembly and was proud.',
  'The museum\'s dinosaur was a hit.',
  'Absent on Monday with a cold.',
  'Explained the rules to two younger pupils.',
  'A bit tired today, Mum says he slept badly.',
  'Played tag with her brother and two friends.',
  'Hurt her knee in PE, a plaster and back to class.',
  'Next steps: bed-time reading with Dad.',
  'Went home by bus with an older pupil.',
  '财务 وقت हिन्दी 👩‍🏫',
];

// Case, accents, quotes and hidden characters make no difference.
const DISGUISED = [
  'SUICIDE',
  'súïcide',
  'sui\u{ad}cide',
  'sui\u{200b}cide',
  '\u{ff53}\u{ff55}\u{ff49}\u{ff43}\u{ff49}\u{ff44}\u{ff45}',
  '“suicide”',
  '_suicide_',
  'don\'t tell mum',
  'don’t tell mum',
  'don´t tell mum',
  'don＇t tell mum',
  'dont tell mum',
];

interface Prompt {
  noticed(text: string): boolean;
  words(text: string): string[];
  PHRASES: string[];
  NEAR: string[][];
}

/** What of these is noticed, asked of the page's own script. */
const noticedIn = (page: Page, texts: string[]) =>
  page.evaluate(async (texts) => {
    const { noticed } = (await import('/prompt/prompt.js' as string)) as Prompt;
    return texts.filter((text) => noticed(text));
  }, texts);

test('words that suggest a child at risk are noticed, and ordinary notes are not', async ({ school }) => {
  const page = await school.as('teacher1');
  await page.goto('/pupils');
  expect(await noticedIn(page, DISCLOSED)).toEqual(DISCLOSED);
  expect(await noticedIn(page, ORDINARY)).toEqual([]);
  expect(await noticedIn(page, DISGUISED)).toEqual(DISGUISED);
  // Better one reminder too many.
  const harmless = ['touched the ball with his hand', 'Dad beat me at chess'];
  expect(await noticedIn(page, harmless)).toEqual(harmless);
  // Words are whole, and stems begin them.
  const whole = ['gun', '(guns)', 'stabbed', 'abusive'];
  expect(await noticedIn(page, [...whole, 'begun', 'Gunn', 'gunmetal', 'stable', 'disabuse'])).toEqual(whole);
  // A phrase reaches over a line and not over other words; a pair reaches over five and not over six.
  const reach = ['he ran\naway', 'afraid one two three four five dad'];
  const beyond = ['he ran far, then walked away', 'county cricket, new lines to learn', 'afraid one two three four five six dad'];
  expect(await noticedIn(page, [...reach, ...beyond])).toEqual(reach);
});

test('the list is written as words are compared, no text is too strange, and a long one takes time in proportion', async ({ school }) => {
  const page = await school.as('teacher1');
  await page.goto('/pupils');
  const said = await page.evaluate(async () => {
    const { noticed, words, PHRASES, NEAR } = (await import('/prompt/prompt.js' as string)) as Prompt;
    const stems = [...PHRASES, ...NEAR.flat()].flatMap((entry) => entry.split(/[ |]/)).map((word) => word.replace(/\*$/, ''));
    const unmet = stems.filter((stem) => !stem || stem.includes('*') || words(stem).join(' ') !== stem);
    // Half of pairs, marks without letters, whatever there is: the same ones every time.
    let seed = 7;
    const next = () => (seed = (seed * 48_271) % 2_147_483_647);
    for (let n = 0; n < 5_000; n += 1) noticed(Array.from({ length: next() % 40 }, () => String.fromCharCode(next() % 0x10000)).join(''));
    // Words that begin many phrases and end none.
    const long = 'if not dont want to go '.repeat(500);
    const before = performance.now();
    const found = [noticed(long), noticed(`${long} weapon`)];
    return { all: stems.length, unmet, found, took: performance.now() - before };
  });
  expect(said.all).toBeGreaterThan(300);
  expect(said.unmet).toEqual([]);
  expect(said.found).toEqual([false, true]);
  expect(said.took, 'milliseconds for 6,000 words').toBeLessThan(1_000);
});

/** Everything that a browser keeps for this site. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    const databases = 'databases' in indexedDB ? await indexedDB.databases() : [];
    const caches = 'caches' in window ? await window.caches.keys() : [];
    const marks = performance.getEntriesByType('mark').length + performance.getEntriesByType('measure').length;
    const attributes = [...document.querySelectorAll('#sheet *')]
      .filter((element) => !element.closest('.prompt'))
      .map((element) => element.cloneNode(false) as Element)
      .map((element) => element.outerHTML);
    return JSON.stringify({
      local: { ...localStorage },
      session: { ...sessionStorage },
      databases,
      caches,
      marks,
      cookie: document.cookie,
      state: history.state as unknown,
      length: history.length,
      address: location.href,
      title: document.title,
      attributes,
    });
  });

test('the reminder comes up beside the box, and nothing of it leaves the page', async ({ school }) => {
  const { aisha } = await oneClass(school);
  const admin = await school.as('admin');
  await admin.goto('/settings/pupils');
  const lead = admin.getByRole('region', { name: 'Designated safeguarding lead' });
  await lead.getByLabel('Who').selectOption({ label: NAMES.head });
  await lead.getByLabel('How they are reached').fill('Room 2, extension 14');
  await lead.getByLabel('What to do').fill('Go to her at once, and write nothing down before.');
  await lead.getByRole('button', { name: /^Save/ }).click();

  const teacher = await school.as('teacher1');
  const [sent, frames]: [string[], string[]] = [[], []];
  teacher.on('request', (request) => void sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ''}`));
  teacher.on('websocket', (socket) => socket.on('framesent', ({ payload }) => void frames.push(String(payload))));
  await teacher.goto(`${aisha}/records/add?kind=observation`);
  await ready(teacher);
  await teacher.waitForLoadState('networkidle');
  const box = teacher.getByLabel('What you saw');
  await expect(box).toHaveAttribute('autocomplete', 'off');
  await box.focus();
  const place = teacher.locator('#body ~ .prompt');
  await expect(place).toHaveRole('status');
  await expect(place).toBeEmpty();
  const ordinary = 'CANARY7391 looked at the fish.';
  await box.fill(ordinary);
  await expect(place).toBeEmpty();
  const before = await kept(teacher);
  const [requests, said] = [sent.length, frames.length];

  await box.fill('');
  await box.pressSequentially('CANARY7391 has a bruise');
  await expect(place).toContainText('tell your designated safeguarding lead now.');
  await expect(place).toContainText(NAMES.head);
  await expect(place).toContainText('Room 2, extension 14');
  await expect(place).toContainText('Go to her at once, and write nothing down before.');
  await expect(place).not.toContainText('bruise');
  // It covers nothing: the box above it is whole and has the focus, and so is the button below.
  await expect(box).toBeFocused();
  await expect(box).toHaveValue('CANARY7391 has a bruise');
  const [above, own] = [(await box.boundingBox())!, (await place.boundingBox())!];
  expect(own.y).toBeGreaterThanOrEqual(above.y + above.height);
  await box.fill(ordinary);
  await expect(place).toBeEmpty();
  await box.fill('CANARY7391 has a bruise');
  await expect(place).not.toBeEmpty();
  await teacher.waitForTimeout(1_000);
  expect(await kept(teacher), 'nothing is kept, and the page differs in nothing but the reminder').toBe(before);
  expect(sent.slice(requests), 'nothing is sent').toEqual([]);
  // The page says now and then that it is there, and never anything of what is typed.
  expect(frames.slice(said).filter((frame) => /CANARY|bruise|prompt|safeguard/i.test(frame))).toEqual([]);
  expect([...sent, ...frames].filter((line) => /CANARY7391/.test(line))).toEqual([]);

  // Whoever goes away leaves nothing behind, and the form was never sent.
  await teacher.goto(aisha);
  await expect(title(teacher)).toHaveText('Aisha Khan');
  await expect(teacher.getByText('Nothing has been put down yet')).toBeVisible();
  await expect(teacher.getByText('CANARY7391')).toHaveCount(0);
  await teacher.goBack();
  await expect(teacher.getByLabel('What you saw')).not.toHaveValue(/CANARY/);
});

test('where no lead is named the reminder speaks of the lead all the same, in every box of the page', async ({ school }) => {
  const { aisha } = await oneClass(school);
  const teacher = await school.as('teacher1');
  await teacher.goto(`${aisha}/records/add?kind=observation`);
  await ready(teacher);
  await teacher.getByText('Other pupils had a part in it').click();
  const box = teacher.getByRole('group', { name: 'Aisha Khan' }).getByLabel('About their own part');
  await box.fill('He is scared of going home');
  const place = teacher.locator('#words ~ .prompt');
  await expect(place).toContainText('tell your designated safeguarding lead now.');
  await expect(teacher.locator('#body ~ .prompt:not(:empty)')).toHaveCount(0);
  // The writer decides: it is saved as it stands.
  await teacher.getByLabel('What you saw').fill('Came in late.');
  await teacher.getByRole('button', { name: 'Save' }).click();
  await expect(teacher.getByText('He is scared of going home')).toBeVisible();
});
