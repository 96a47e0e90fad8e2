import { redirect } from '@sveltejs/kit';
import { whoAmI } from '../../school.mjs';

/** Whose session it is, before any page. */
export async function handle({ event, resolve }) {
  event.locals.me = await whoAmI(event.cookies.get('quorate'));
  if (!event.locals.me) redirect(303, '/sign-in');
  return resolve(event);
}
