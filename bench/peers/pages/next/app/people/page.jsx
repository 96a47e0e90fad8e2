import { people } from '../../../school.mjs';
import { Frame, Head, Icon, Moment, reader } from '../parts.jsx';

export default async function People() {
  const me = await reader();
  const list = await people(me);
  return (
    <Frame me={me} path="/people" title={list.title}>
      <Head title={list.title} lead={list.lead}>
        <a className="button primary" href="/people/add"><Icon name="add" />Add a person</a>
      </Head>
      <section className="card">
        <form className="filter" method="get" action="/people">
          <nav className="choices" aria-label="Show">
            {list.choices.map(({ href, name, many, current }) => (
              <a key={name} className="choice" href={href} aria-current={current}>{name} <span>{many}</span></a>
            ))}
          </nav>
          <input type="hidden" name="show" value="" />
          <div className="field">
            <label htmlFor="q">Find by name or e-mail</label>
            <input id="q" name="q" type="search" autoComplete="off" defaultValue="" />
          </div>
          <div className="field fixed">
            <label htmlFor="role">Role</label>
            <select id="role" name="role" defaultValue="">
              <option value="">Any role</option>
              {list.roles.map(({ code, name }) => <option key={code} value={code}>{name}</option>)}
            </select>
          </div>
          <button className="button"><Icon name="search" />Show</button>
          <button className="button quiet" formAction="/people.csv">Download as CSV</button>
        </form>
        <table className="table">
          <caption>{list.caption}</caption>
          <thead>
            <tr>
              <th scope="col" aria-sort="ascending">Name</th>
              <th scope="col">Roles</th>
              <th scope="col">Since</th>
              <th scope="col">State</th>
              <th scope="col"><span className="hidden-text">Open</span></th>
            </tr>
          </thead>
          <tbody>{list.rows.map((row) => <Row key={row.id} row={row} />)}</tbody>
        </table>
        {list.pages > 1 && (
          <nav className="pager" aria-label="Pages of the list">
            <span>{`Page 1 of ${list.pages}`}</span>
            <a className="button" rel="next" href={list.later}>Later names</a>
          </nav>
        )}
      </section>
    </Frame>
  );
}

function Row({ row }) {
  return (
    <tr>
      <th scope="row">
        <div className="person">
          <span className="face" data-here={row.here ? '' : undefined} aria-hidden="true">{row.initials}</span>
          <div>
            <b>{row.name}</b>
            <small>{row.local}<wbr />{row.host}</small>
            {row.here && <span className="hidden-text">, here now</span>}
          </div>
        </div>
      </th>
      <td data-label="Roles">{row.roles}</td>
      <td data-label="Since"><Moment at={row.since} day /></td>
      <td data-label="State"><span className={row.tag}>{row.state}</span></td>
      <td className="act">
        <a className="button quiet" href={`/people/${row.id}`}>Open<span className="hidden-text">{` ${row.name}`}</span></a>
      </td>
    </tr>
  );
}
