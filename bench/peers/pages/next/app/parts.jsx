// What every page is made of, as `app/src/ui.rs` has it.
import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { frame, whoAmI } from '../../school.mjs';

export async function reader() {
  const me = await whoAmI((await cookies()).get('quorate')?.value);
  return me ?? redirect('/sign-in');
}

export function Icon({ name }) {
  return (
    <svg className="icon" aria-hidden="true">
      <use href={`/icons.svg#${name}`}></use>
    </svg>
  );
}

export function Moment({ at, day }) {
  return <time dateTime={at.at} title={day ? at.full : undefined}>{day ? at.day : at.full}</time>;
}

export function Head({ title, lead, children }) {
  return (
    <div className="head">
      <div><h1>{title}</h1><p>{lead}</p></div>
      {children && <div className="actions">{children}</div>}
    </div>
  );
}

export function Frame({ me, path, title, children }) {
  const around = frame(me, path);
  return (
    <>
      <title>{`${title} · Quorate`}</title>
      <a className="skip" href="#main">Skip to the page</a>
      <div className="frame">
        <header className="bar">
          <a className="school" href="/">
            <span className="crest" aria-hidden="true">{around.crest}</span>
            <span>{around.place}</span>
          </a>
          <form className="search" role="search" action={around.search}>
            <label className="hidden-text" htmlFor="search">{around.seek}</label>
            <Icon name="search" />
            <input id="search" type="search" name="q" placeholder={around.seek} autoComplete="off" />
          </form>
          <span className="live" data-state="connecting">Not live</span>
          <a className="search-link" href={around.search}><Icon name="search" /><span className="hidden-text">{around.seek}</span></a>
          <details className="who" name="bar">
            <summary>
              <span className="name"><b>{around.name}</b><small>{around.role}</small></span>
              <span className="face" aria-hidden="true">{around.initials}</span>
            </summary>
            <div className="menu">
              <p>Signed in as <b>{around.name}</b></p>
              <a href="/me"><Icon name="account" />My account</a>
              <a href="/schools"><Icon name="school" />My schools</a>
              <form method="post" action="/sign-in">
                <input type="hidden" name="act" value="session/sign-out" />
                <button><Icon name="sign-out" />Sign out</button>
              </form>
            </div>
          </details>
        </header>
        <nav className="rail" aria-label="Places">
          <ul role="list">
            {around.places.map(({ href, icon, name, current }) => (
              <li key={href}><a href={href} aria-current={current}><Icon name={icon} /><span>{name}</span></a></li>
            ))}
            <li className="more">
              <details name="bar">
                <summary><Icon name="more" /><span>More</span></summary>
                <div className="menu">
                  {around.more.map(({ href, icon, name, current }) => (
                    <a key={href} href={href} aria-current={current}><Icon name={icon} />{name}</a>
                  ))}
                </div>
              </details>
            </li>
          </ul>
        </nav>
        <main className="page" id="main" tabIndex={-1}>{children}</main>
      </div>
      <div className="news" role="status"></div>
      <div className="hidden-text" role="status"></div>
    </>
  );
}
