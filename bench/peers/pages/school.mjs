// What the pages of the peers show, read as their authors would: plain tables, the tenant in each predicate, two to five statements a
// page over a pool, and the session by the hash of its cookie. What a page says is worked out here, so that each framework has only
// to draw it.
import { createHash } from 'node:crypto';
import postgres from 'postgres';

// Its host is the folder of a socket, which the library takes as an option and not in an address.
const at = new URL(process.env.DATABASE_URL ?? 'postgres://localhost/none');
const sql = (globalThis.school ??= postgres({
  host: decodeURIComponent(at.hostname),
  port: Number(at.port || at.searchParams.get('port') || 5432),
  database: at.pathname.slice(1),
  username: decodeURIComponent(at.username),
  password: decodeURIComponent(at.password),
  max: 8,
  connection: { role: 'quorate_sec' },
  onnotice: () => {},
}));

/** Who has a page open; nobody has, with these peers. */
const here = new Set();

/** Code and name of every role, in the order in which pages list them. */
export const ROLES = Object.entries({
  school_admin: 'School administrator',
  senior_leader: 'Senior leader',
  senco: 'SENCO',
  teacher: 'Teacher',
  teaching_assistant: 'Teaching assistant',
  clerk: 'Clerk to governors',
  chair: 'Chair of governors',
  governor: 'Governor',
  associate: 'Associate member',
  parent: 'Parent',
  member: 'Young person',
  trust_admin: 'Trust administrator',
  trust_lead: 'Trust leader',
  org_admin: 'Organisation administrator',
  org_staff: 'Organisation staff',
});
const BOARD = ['chair', 'governor', 'associate', 'clerk'];
const STAFF = ['school_admin', 'senior_leader', 'senco', 'teacher', 'teaching_assistant', 'trust_admin', 'trust_lead', 'org_admin', 'org_staff'];
const FAMILIES = ['parent', 'member'];
const STATES = { invited: ['Invited', 'tag info'], active: ['Active', 'tag good'], suspended: ['Suspended', 'tag bad'], ended: ['Removed', 'tag'] };
/** The places of a clerk: address, icon, name. */
const PLACES = [
  ['/', 'home', 'Home'],
  ['/people', 'people', 'People'],
  ['/board', 'board', 'Board'],
  ['/library', 'folder', 'Papers'],
  ['/approvals', 'check', 'Approvals'],
  ['/audit', 'history', 'The log'],
  ['/me', 'account', 'My account'],
];
const ROWS = 100;
const DUTIES_MOST = 12;
const CLOSED_MOST = 30;
const CHANGES = ['membership', 'contact', 'mail', 'seat', 'term', 'committee', 'declaration', 'dbs_check', 'training', 'board', 'tenant'];

// ── Words ─────────────────────────────────────────────────────────────────────────────────────

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function counted(n, one, many) {
  if (n === 0) return `No ${many}`;
  if (n === 1) return `1 ${one}`;
  return `${n >= 1000 ? `${Math.floor(n / 1000)},${String(n % 1000).padStart(3, '0')}` : n} ${many}`;
}

function initials(name) {
  const letters = name.split(/\s+/).map((word) => word.match(/\p{L}/u)?.[0]).filter(Boolean);
  return (letters.length > 1 ? letters[0] + letters.at(-1) : (letters[0] ?? '')).toUpperCase();
}

/** A day, `2026-06-18`, in words. */
function words(day) {
  const [year, month, date] = day.split('-').map(Number);
  return `${date} ${MONTHS[month - 1]} ${year}`;
}

function days(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function waiting(since, today) {
  const passed = days(since, today);
  if (passed <= 0) return 'waiting since today';
  return passed === 1 ? 'waiting for a day' : `waiting for ${passed} days`;
}

/** A moment: as a machine reads it, its day, and in full. */
function moment(at) {
  const [date, month, year] = [at.getUTCDate(), MONTHS[at.getUTCMonth()], at.getUTCFullYear()];
  const time = `${String(at.getUTCHours()).padStart(2, '0')}:${String(at.getUTCMinutes()).padStart(2, '0')}`;
  return { at: at.toISOString(), day: `${date} ${month.slice(0, 3)} ${year}`, full: `${DAYS[at.getUTCDay()]} ${date} ${month} ${year}, ${time} UTC` };
}

// ── Who asks ──────────────────────────────────────────────────────────────────────────────────

/** Whose session a cookie names, and the frame of their pages; null where there is none. */
export async function whoAmI(cookie) {
  if (!cookie) return null;
  const hash = createHash('sha256').update(Buffer.from(cookie, 'base64url')).digest();
  const [me] = await sql`
    select s.tenant_id as tenant, s.membership_id as id, t.name as place, m.name, m.roles,
      (now() at time zone 'Europe/London')::date::text as today
    from sec.session s
    join tenant t on t.id = s.tenant_id
    join membership m on m.tenant_id = s.tenant_id and m.id = s.membership_id and m.state = 'active'
    where s.token_hash = ${hash} and s.ended_at is null and s.expires_at > now() and s.seen_at > now() - s.idle
      and s.assurance = 'full'`;
  return me ?? null;
}

/** What is around a page. */
export function frame(me, path) {
  const papers = path === '/approvals';
  const role = ROLES.find(([code]) => me.roles.includes(code))?.[1] ?? '';
  const places = PLACES.map(([href, icon, name]) => ({ href, icon, name, current: href === path ? 'page' : undefined }));
  return {
    crest: [...me.place][0],
    place: me.place,
    name: me.name,
    initials: initials(me.name),
    role,
    search: papers ? '/library/search' : '/people',
    seek: papers ? 'Search papers' : 'Search people',
    places,
    more: places.slice(4),
  };
}

// ── The pages ─────────────────────────────────────────────────────────────────────────────────

/** The first page of the list of people. */
export async function people(me) {
  const [rows, [count]] = await Promise.all([
    sql`
      select m.id, m.account_id as account, m.name, a.email, m.roles, m.state,
        case m.state when 'invited' then m.invited_at when 'active' then m.joined_at else m.suspended_at end as since
      from membership m join account a on a.id = m.account_id
      where m.tenant_id = ${me.tenant} and m.state <> 'ended' order by lower(m.name), m.id limit ${ROWS}`,
    sql`
      select count(*) filter (where m.state <> 'ended')::integer as everyone,
        count(*) filter (where m.state <> 'ended' and m.roles && ${BOARD})::integer as board,
        count(*) filter (where m.state <> 'ended' and m.roles && ${STAFF})::integer as staff,
        count(*) filter (where m.state <> 'ended' and m.roles && ${FAMILIES})::integer as families,
        count(*) filter (where m.state = 'invited')::integer as invited,
        count(*) filter (where m.state = 'suspended')::integer as suspended,
        count(*) filter (where m.state = 'ended')::integer as ended
      from membership m where m.tenant_id = ${me.tenant}`,
  ]);
  const link = (show, page) => `/people?show=${show}&role=&category=&committee=${page > 1 ? `&page=${page}` : ''}`;
  const choices = [
    ['', 'Everyone', count.everyone],
    ['board', 'Board', count.board],
    ['staff', 'Staff', count.staff],
    ['families', 'Families', count.families],
    ['invited', 'Invited', count.invited],
    ['suspended', 'Suspended', count.suspended],
    ['ended', 'Removed', count.ended],
  ];
  const pages = Math.ceil(count.everyone / ROWS);
  const matching = counted(count.everyone, 'person', 'people');
  return {
    title: 'People',
    lead: `Everyone with a place at ${me.place}, and what they are here.`,
    caption: `${matching}, ${here.size} of them here now. By name; 1 to ${rows.length} are shown.`,
    choices: choices
      .filter(([code, , many]) => code === '' || many > 0)
      .map(([code, name, many]) => ({ href: link(code, 1), name, many, current: code === '' ? 'true' : undefined })),
    roles: ROLES.map(([code, name]) => ({ code, name })),
    rows: rows.map((row) => {
      const [local, host] = row.email.split('@');
      const [state, tag] = STATES[row.state];
      const since = moment(row.since);
      const roles = ROLES.filter(([code]) => row.roles.includes(code)).map(([, name]) => name);
      return { id: row.id, name: row.name, initials: initials(row.name), local: `${local}@`, host, roles: roles.join(', '), since, state, tag, here: here.has(row.account) };
    }),
    pages,
    later: link('', 2),
  };
}

/** What waits for the clerk, and what changed. */
export async function home(me) {
  const [[count], invited, asked, changes] = await Promise.all([
    sql`select count(*)::integer as people from membership m where m.tenant_id = ${me.tenant} and m.state <> 'ended'`,
    sql`
      select m.id, m.name, (m.invited_at at time zone 'Europe/London')::date::text as since from membership m
      where m.tenant_id = ${me.tenant} and m.state = 'invited' order by lower(m.name), m.id`,
    approvalsOf(me, true),
    sql`
      select e.act, e.at, actor.name as by, about.name as about from event e
      left join membership actor on actor.tenant_id = e.tenant_id and actor.account_id = e.actor
      left join membership about on about.tenant_id = e.tenant_id and about.id = e.about
      where e.tenant_id = ${me.tenant} and split_part(e.act, '.', 1) = any (${CHANGES}) order by e.seq desc limit 8`,
  ]);
  const duties = invited.map(({ id, name, since }) => ({
    what: `${name} has not accepted the invitation`,
    detail: `Invited on ${words(since)}.`,
    waits: waiting(since, me.today),
    href: `/people/${id}`,
    since,
  }));
  for (const one of asked.filter(({ mine }) => mine)) {
    const detail = `Version ${one.number}. There is time until ${words(one.due)}.`;
    duties.push({ what: `Answer about ${one.title}`, detail, waits: waiting(one.since, me.today), href: way(one)[0], since: one.since });
  }
  duties.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
  duties.length = Math.min(duties.length, DUTIES_MOST);
  const first = me.name.split(/\s+/)[0];
  const lead = ['Nothing waits for you.', 'One thing waits for you.'][duties.length] ?? `${duties.length} things wait for you, the oldest first.`;
  return {
    title: `Hello, ${first}`,
    lead,
    duties,
    changes: changes.map(({ act, at, by, about }) => {
      const who = by ?? 'Quorate';
      const done = { 'membership.added': 'added', 'membership.invited': 'added and invited' }[act] ?? act;
      return { by: who, initials: initials(who), words: `${done} ${about ?? 'somebody'}`, at: moment(at) };
    }),
    people: counted(count.people, 'person', 'people'),
    here: counted(here.size, 'person', 'people'),
  };
}

/** What is to be agreed to. */
export async function approvals(me) {
  const all = await approvalsOf(me, false);
  const open = all.filter(({ state }) => state === 'open');
  const mine = open.filter((one) => one.mine);
  const others = open.filter((one) => !one.mine);
  const closed = all.filter(({ state }) => state !== 'open').slice(0, CLOSED_MOST);
  return {
    title: 'Approvals',
    lead: mine.length ? `${counted(mine.length, 'paper waits', 'papers wait')} for your answer.` : 'Nothing waits for your answer.',
    mine: mine.map((one, n) => {
      const left = days(me.today, one.due);
      const [href, label] = way(one);
      return {
        id: one.id,
        box: one.routine && one.opened ? `approvals[${n}]` : undefined,
        name: `${one.title}, version ${one.number}`,
        title: one.title,
        by: one.by,
        waits: waiting(one.since, me.today),
        unread: one.opened ? '' : ' · you have not opened it',
        due: left === 0 ? 'closes today' : left === 1 ? 'closes tomorrow' : `closes on ${words(one.due)}`,
        tag: left <= 2 ? 'tag wait' : 'tag',
        href,
        label,
      };
    }),
    several: mine.some((one) => one.routine && one.opened),
    many: counted(others.length, 'paper', 'papers'),
    others: others.map((one) => ({
      href: `/approvals/${one.id}`,
      name: `${one.title}, version ${one.number}`,
      stands: `${standing(one)}. ${rule(one)}`,
      open: `Open, ${waiting(one.since, me.today)}, closes on ${words(one.due)}`,
    })),
    closed: closed.map((one) => ({
      href: `/approvals/${one.id}`,
      name: `${one.title}, version ${one.number}`,
      state: { adopted: 'Adopted', rejected: 'Rejected', lapsed: 'Lapsed', stale: 'Replaced meanwhile' }[one.state],
      tag: { adopted: 'tag good', rejected: 'tag bad', lapsed: 'tag', stale: 'tag wait' }[one.state],
      stands: standing(one),
      at: moment(one.closed_at),
    })),
  };
}

function approvalsOf(me, open) {
  return sql`
    select a.id, a.document_id as document, d.title, v.number, a.rule, a.least, a.routine, b.name as by,
      (a.asked_at at time zone 'Europe/London')::date::text as since, a.due::text, a.state, a.closed_at, c.*,
      exists (select from opening o
        where o.tenant_id = a.tenant_id and o.version_id = a.version_id and o.membership_id = ${me.id}) as opened,
      (select max(e.number) from version e
        join opening o on o.tenant_id = e.tenant_id and o.version_id = e.id and o.membership_id = ${me.id}
        where e.tenant_id = a.tenant_id and e.document_id = a.document_id and e.number < v.number) as earlier
    from approval a
    join document d on d.tenant_id = a.tenant_id and d.id = a.document_id and d.state = 'current'
    join version v on v.tenant_id = a.tenant_id and v.id = a.version_id
    join membership b on b.tenant_id = a.tenant_id and b.id = a.asked_by
    cross join lateral (
      select count(*)::integer as asked, count(*) filter (where w.answer = 'agree')::integer as agreed,
        count(*) filter (where w.answer = 'object')::integer as objected,
        count(*) filter (where w.answer = 'abstain')::integer as abstained,
        coalesce(bool_or(p.membership_id = ${me.id} and w.id is null), false) as mine
      from approval_place p
      left join approval_answer w on w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id
      where p.tenant_id = a.tenant_id and p.approval_id = a.id) c
    where a.tenant_id = ${me.tenant} and a.state <> 'withdrawn' and (a.state = 'open' or not ${open})
    order by a.state = 'open' desc, case a.state when 'open' then a.asked_at end, a.closed_at desc, a.id desc limit 200`;
}

function way({ document, number, earlier }) {
  return earlier
    ? [`/papers/${document}/changes?since=${earlier}&to=${number}`, 'See what changed']
    : [`/papers/${document}#answer`, 'Read and answer'];
}

function standing({ asked, agreed, objected, abstained, state }) {
  const said = [`${agreed} agreed`];
  const left = asked - agreed - objected - abstained;
  if (objected) said.push(`${objected} objected`);
  if (abstained) said.push(`${abstained} abstained`);
  if (left) said.push(`${left} ${state === 'open' ? 'to come' : 'did not answer'}`);
  return said.join(', ');
}

function rule({ rule, least, asked, abstained }) {
  const counted = asked - abstained;
  if (rule === 'everyone') return `Adopted when all ${counted} agree.`;
  return `Adopted when ${rule === 'majority' ? Math.floor(counted / 2) + 1 : least} of ${counted} agree.`;
}
