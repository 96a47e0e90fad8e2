import { approvals } from '../../../../school.mjs';

export const load = async ({ locals }) => ({ shown: await approvals(locals.me) });
