import { openPicture } from '../lib/picture.ts';
import { shoot } from '../lib/pictures.ts';
import { School, test } from '../lib/test.ts';

test('pictures of the school’s picture', async ({ browser }) => {
  test.slow();
  const none = new School(browser, true, 'school-593', 'School 593');
  const senco = await none.as('senco');
  await senco.goto('/picture');
  await shoot(senco, '67-picture-none');
  await none.close();

  // With two years of the demo's records.
  const oakfield = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const head = await oakfield.as('head');
  await openPicture(head);
  await head.waitForLoadState('networkidle');
  await shoot(head, '67-picture');
  await openPicture(head, '?by=sen');
  await head.getByText('Safe by SEN provision as a table').click();
  await shoot(head, '67-picture-sen');
  await oakfield.close();
});
