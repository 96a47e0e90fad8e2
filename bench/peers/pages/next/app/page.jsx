import { home } from '../../school.mjs';
import { Frame, Head, Icon, Moment, reader } from './parts.jsx';

export default async function Home() {
  const me = await reader();
  const shown = await home(me);
  return (
    <Frame me={me} path="/" title={shown.title}>
      <Head title={shown.title} lead={shown.lead} />
      <div className="split">
        <div className="stack">
          <section className="card" aria-labelledby="do">
            <header><h2 id="do">What you must do</h2><p>oldest first</p></header>
            <ul role="list" className="todo">
              {shown.duties.map((duty, n) => (
                <li key={duty.href}>
                  <div><b>{duty.what}</b><small>{duty.detail}</small></div>
                  <span className="tag wait">{duty.waits}</span>
                  <a className={n === 0 ? 'button primary' : 'button'} href={duty.href}>Open<span className="hidden-text">{`: ${duty.what}`}</span></a>
                </li>
              ))}
            </ul>
          </section>
          <section className="card" aria-labelledby="changed">
            <header><h2 id="changed">What changed</h2><p></p></header>
            <div className="body">
              <ul role="list" className="feed">
                {shown.changes.map((line, n) => (
                  <li key={n}>
                    <span className="face" aria-hidden="true">{line.initials}</span>
                    <span><b>{line.by}</b> {line.words}</span>
                    <Moment at={line.at} />
                  </li>
                ))}
              </ul>
            </div>
          </section>
        </div>
        <aside className="stack" aria-label="At a glance">
          <section className="card" aria-labelledby="glance">
            <header><h2 id="glance">At a glance</h2></header>
            <div className="body">
              <dl className="details">
                <div><dt>People</dt><dd>{shown.people}</dd></div>
                <div><dt>Here now</dt><dd>{shown.here}</dd></div>
              </dl>
              <a className="button" href="/people"><Icon name="people" />See the people</a>
            </div>
          </section>
        </aside>
      </div>
    </Frame>
  );
}
