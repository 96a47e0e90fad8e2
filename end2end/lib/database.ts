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

/** So many pupils in each of two years, whom nobody has checked in with. */
export function fillRoll(label: string, year4: number, year5: number): void {
  sql(`insert into pupil (tenant_id, first_name, last_name, born, year_group)
      select t.id, 'Robin', 'Pupil ' || n, '2017-05-09', case when n <= ${year4} then '4' else '5' end
      from generate_series(1, ${year4 + year5}) n, tenant t where t.label = '${label}'`);
}

/** The tables of records, which nobody but the program writes to otherwise. Once, for all tests. */
const RECORDS = `set role quorate_owner; select pg_advisory_xact_lock(5); do $grant$
  declare name text;
  begin
    if not exists (select from pg_policies where policyname = 'e2e_record') then
      foreach name in array array['record', 'record_pupil', 'record_version', 'score', 'on_record'] loop
        execute format('create policy e2e_%s on %I for insert to quorate_sec with check (true)', name, name);
        execute format('grant insert on %I to quorate_sec', name);
      end loop;
    end if;
  end $grant$; set role quorate_sec;`;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** A child of a school by their first name, and one of its people by their address, as `child` and `author`. */
const about = (label: string, first: string, by: string) => `
  select p.* into strict child from pupil p join tenant t on t.id = p.tenant_id and t.label = ${quoted(label)} where p.first_name = ${quoted(first)};
  select m.id into strict author from membership m join account a on a.id = m.account_id and a.email = ${quoted(by)} where m.tenant_id = child.tenant_id;`;

/** Somebody wrote an observation of a child some days ago, put it on record, and the time is over in which it could be taken back. */
export function putOnRecord(label: string, first: string, by: string, words: string, days = 1): void {
  sql(`${RECORDS} do $seed$
    declare child pupil; author uuid; made uuid;
    begin ${about(label, first, by)}
      insert into record (tenant_id, kind, happened_at, author_id)
        values (child.tenant_id, 'observation', now() - interval '${days} days', author) returning id into made;
      insert into record_pupil (tenant_id, record_id, pupil_id, place, part) values (child.tenant_id, made, child.id, 1, 'subject');
      insert into record_version (tenant_id, record_id, number, body, detail, made_by) values (child.tenant_id, made, 1, 'For staff alone', '{"of": "plain"}', author);
      insert into on_record (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by, put_at, opens_at)
        select r.tenant_id, r.id, 1, child.id, r.kind, r.happened_at, ${quoted(words)}, author, now() - interval '1 hour', now() - interval '1 second'
        from record r where r.tenant_id = child.tenant_id and r.id = made;
    end $seed$`);
}

/** So many weeks in which somebody checked in with a child once, the newest a week ago. */
export function checkedIn(label: string, first: string, by: string, weeks: number): void {
  sql(`${RECORDS} do $seed$
    declare child pupil; author uuid; made uuid; week integer; moment timestamptz;
    begin ${about(label, first, by)}
      for week in 1..${weeks} loop
        -- Midday in London: the hour of now can be another day, and another week, before the clocks changed.
        moment := ((now() at time zone 'Europe/London')::date - 7 * week + time '12:00') at time zone 'Europe/London';
        insert into record (tenant_id, kind, happened_at, author_id) values (child.tenant_id, 'check_in', moment, author) returning id into made;
        insert into record_pupil (tenant_id, record_id, pupil_id, place, part) values (child.tenant_id, made, child.id, 1, 'subject');
        insert into record_version (tenant_id, record_id, number, body, detail, made_by) values (child.tenant_id, made, 1, '', '{"of": "plain"}', author);
        insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
          select child.tenant_id, made, 1, child.id, d, 2 + (week + n) % 4, (moment at time zone 'Europe/London')::date
          from unnest(array['settled', 'connected']) with ordinality as x (d, n);
      end loop;
    end $seed$`);
}

/** A week ago somebody checked in with everybody on the roll: those of a registration group were in difficulty, of the others every third. */
export function checkedInWithAll(label: string, by: string, group: string): void {
  sql(`${RECORDS} do $seed$
    declare school uuid; author uuid; child record; made uuid; moment constant timestamptz := now() - interval '7 days';
    begin
      select t.id into strict school from tenant t where t.label = ${quoted(label)};
      select m.id into strict author from membership m join account a on a.id = m.account_id and a.email = ${quoted(by)} where m.tenant_id = school;
      for child in
        select p.id, case when exists (
            select from group_pupil x join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
            where x.tenant_id = p.tenant_id and x.pupil_id = p.id and g.name = ${quoted(group)}) then 2
          else 2 + (row_number() over (order by p.id))::integer % 3 end as level
        from pupil p where p.tenant_id = school
      loop
        insert into record (tenant_id, kind, happened_at, author_id) values (school, 'check_in', moment, author) returning id into made;
        insert into record_pupil (tenant_id, record_id, pupil_id, place, part) values (school, made, child.id, 1, 'subject');
        insert into record_version (tenant_id, record_id, number, body, detail, made_by) values (school, made, 1, '', '{"of": "plain"}', author);
        insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
          values (school, made, 1, child.id, 'settled', child.level, (moment at time zone 'Europe/London')::date);
      end loop;
    end $seed$`);
}

/** Four weeks pass for the school's picture: the newest was of then. */
export function fourWeeksPass(label: string): void {
  sql(`select set_config('e2e.school', id::text, true) from tenant where label = ${quoted(label)};
    set role quorate_owner; alter table picture no force row level security;
    update picture set day = day - 28 where tenant_id = current_setting('e2e.school')::uuid;
    alter table picture force row level security`);
}

/** Half an hour passes for what was put on record at a school: nobody can take it back unseen any more. */
export function cooled(label: string): void {
  sql(`update on_record o set put_at = put_at - interval '31 minutes', opens_at = opens_at - interval '31 minutes'
    from tenant t where t.id = o.tenant_id and t.label = ${quoted(label)}`);
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
