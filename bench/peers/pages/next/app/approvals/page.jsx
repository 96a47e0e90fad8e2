import { approvals } from '../../../school.mjs';
import { Frame, Head, Moment, reader } from '../parts.jsx';

export default async function Approvals() {
  const me = await reader();
  const list = await approvals(me);
  return (
    <Frame me={me} path="/approvals" title={list.title}>
      <div id="sheet">
        <Head title={list.title} lead={list.lead} />
        <section className="card" aria-labelledby="mine">
          <header><h2 id="mine">Waiting for you</h2><p>oldest first</p></header>
          <form method="post">
            <input type="hidden" name="act" value="approvals/agree-to-several" />
            <div className="body">{list.mine.map((one) => <Mine key={one.id} one={one} />)}</div>
            {list.several && (
              <div className="body">
                <p className="hint">Routine papers that you have opened can be answered together.</p>
                <div className="actions"><button className="button">I agree to those I ticked</button></div>
              </div>
            )}
          </form>
        </section>
        <section className="card" aria-labelledby="others">
          <header><h2 id="others">Waiting for others</h2><p>{list.many}</p></header>
          <ul role="list" className="found">
            {list.others.map((one) => (
              <li key={one.href}>
                <a href={one.href}><b>{one.name}</b></a>
                <small>{one.stands}</small>
                <small>{one.open}</small>
              </li>
            ))}
          </ul>
        </section>
        <section className="card" aria-labelledby="closed">
          <header><h2 id="closed">Closed</h2><p>newest first</p></header>
          <ul role="list" className="found">
            {list.closed.map((one) => (
              <li key={one.href}>
                <a href={one.href}><b>{one.name}</b></a> <span className={one.tag}>{one.state}</span>
                <small>{one.stands} · <Moment at={one.at} day /></small>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Frame>
  );
}

function Mine({ one }) {
  return (
    <div className="act-row">
      {one.box && (
        <label className="option tick">
          <input type="checkbox" name={one.box} value={one.id} />
          <span className="hidden-text">{`Agree to ${one.name}`}</span>
        </label>
      )}
      <div>
        <b>{one.name}</b>
        <small>{`${one.by} asks · ${one.waits}${one.unread}`}</small>
        <small><span className={one.tag}>{one.due}</span></small>
      </div>
      <a className="button primary" href={one.href}>{one.label}<span className="hidden-text">{`: ${one.title}`}</span></a>
    </div>
  );
}
