import { home } from '../../../school.mjs';

export const load = async ({ locals }) => ({ shown: await home(locals.me) });
