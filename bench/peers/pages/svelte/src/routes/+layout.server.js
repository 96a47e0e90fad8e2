import { frame } from '../../../school.mjs';

export const load = ({ locals, url }) => ({ around: frame(locals.me, url.pathname) });
