import { execFileSync } from 'node:child_process';

/**
 * What no test can do in a browser: letting time pass. Runs as the owner of the tables, in the server's own database.
 */
function sql(statement: string): string {
  const { E2E_PSQL, E2E_DATABASE } = process.env;
  return execFileSync(E2E_PSQL!, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', `set role quorate_sec; ${statement}`, E2E_DATABASE!], { encoding: 'utf8' });
}

/** Six minutes pass for all sessions of a person: far-reaching acts want the password again. */
export function letProofGrowOld(email: string): void {
  sql(`update sec.session s set stepped_up_at = s.stepped_up_at - interval '6 minutes' from account a where a.id = s.account_id and a.email = '${email}'`);
}

/** The last letter to a person at a school is refused for good by the mail server of their address. */
export function letterComesBack(label: string, email: string): void {
  sql(`select sec.mail_returned(m.tenant_id, m.id, '{"seq": null, "code": 550}') from membership m
       join tenant t on t.id = m.tenant_id and t.label = '${label}' join account a on a.id = m.account_id and a.email = '${email}'`);
}

/** A trust with this school in it, led by one of the school's own people. Its label. */
export function foundTrust(school: string, email: string, name: string): string {
  const label = `trust-of-${school}`;
  sql(`select sec.make_tenant('${label}', 'Trust of ${school}', 'trust');
    update tenant set trust_id = (select id from tenant where label = '${label}') where label = '${school}';
    select sec.make_person((select id from tenant where label = '${label}'), '${email}', '${name}', array['trust_lead'])`);
  return label;
}

/** So many more schools with long names in a trust, of which somebody is the clerk too; at Northgate they are suspended. */
export function lengthenTrust(trust: string, schools: number, email: string): void {
  sql(`select sec.make_tenant('long-' || n, 'The Venerable Saint Ethelburga’s Church of England Voluntary Aided Primary School ' || n, 'school', trust => t.id)
      from generate_series(1, ${schools}) n, tenant t where t.label = '${trust}';
    select sec.make_person((select id from tenant where label = '${trust}'), '${email}', 'Joan Whitlock', array['clerk']);
    update membership m set state = 'suspended' from tenant t, account a
      where t.id = m.tenant_id and t.label = 'northgate' and a.id = m.account_id and a.email = '${email}'`);
}

/** Everybody who looked at a pupil of a school did so on the Saturday of the week before last, at noon; and the lists of weeks are made. */
export function weekOfLooksPasses(label: string): void {
  const saturday = `((date_trunc('week', now() at time zone 'Europe/London') - interval '9 days' + interval '12 hours') at time zone 'Europe/London')`;
  sql(`update pupil_read r set at = ${saturday} from tenant t where t.id = r.tenant_id and t.label = '${label}';
    update pupil_access a set opened_at = ${saturday}, until = ${saturday} + interval '1 hour' from tenant t where t.id = a.tenant_id and t.label = '${label}';
    select sec.access_weeks_made()`);
}

/** What is known of the pupils of a school ends in ten days. */
export function circumstancesEndSoon(label: string): void {
  sql(`update tag g set expires_on = sec.today() + 10 from tenant t where t.id = g.tenant_id and t.label = '${label}'`);
}
