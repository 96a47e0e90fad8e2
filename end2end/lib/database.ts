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
