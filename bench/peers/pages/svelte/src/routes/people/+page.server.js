import { people } from '../../../../school.mjs';

export const load = async ({ locals }) => ({ shown: await people(locals.me) });
