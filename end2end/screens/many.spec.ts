import { shoot } from '../lib/pictures.ts';
import { School, test } from '../lib/test.ts';

test('pictures of a list of people', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add-many');
  await shoot(clerk, '30-many');
  await clerk.getByLabel('One person a line').fill(
    'Name,E-mail,Role,Category\nAmina Yusuf,amina@list.example,Governor + Parent,Parent\nRhys Ap Owain,rhys@list.example,Techer\n' +
      'Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh Nwachukwu-Papadopoulos,a.very.long.address.of.somebody@a-long-school-name.example,Teacher\n' +
      'Me,clerk@oakfield.example,Clerk to governors\nBo,bo@list.example,Governor,Local authority\n',
  );
  await clerk.getByRole('button', { name: 'Check the list' }).click();
  await clerk.getByRole('button', { name: /^Add and invite/ }).waitFor();
  await shoot(clerk, '31-many-checked');
  await clerk.getByRole('button', { name: /^Add and invite/ }).click();
  await clerk.locator('.notice').waitFor();
  await shoot(clerk, '32-many-added');
  await school.close();
});
