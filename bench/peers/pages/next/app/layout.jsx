export default function Layout({ children }) {
  return (
    <html lang="en-GB" data-accent="green">
      <head>
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      </head>
      <body>{children}</body>
    </html>
  );
}
