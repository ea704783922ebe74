// <tidewatch-bell>: a person's notifications on any site's page. No dependencies, nothing of it leaks out and nothing of
// the page leaks in.
//
//   <script type="module" src="https://tidewatch.example/embed/bell.js"></script>
//   <style>tidewatch-bell:not(:defined) { display: inline-block; inline-size: 40px; block-size: 40px; vertical-align: middle }</style>
//   <tidewatch-bell token-url="/my-backend/tidewatch-token"></tidewatch-bell>
//
// What a page can set: attributes `server`, `token-url`, `token`, `theme` (light, dark); properties `getToken` (an async
// function that gives a token, or {token, expiresAt}) and `labels`; custom properties `--tidewatch-bell-…` and parts for
// its looks. What it hears: `tidewatch-count` {unread, unacknowledged}, and `tidewatch-open` {notification}, which can be
// prevented.

/** Where this script comes from, and so, unless told otherwise, where Tidewatch is. */
const HOME = new URL(import.meta.url).origin;

/** Notifications in the list, and as many more each time that somebody asks for older ones; */
const LISTED = 20;
/** those behind that many come up as these are dealt with. */
const MOST_LISTED = 200;
/** After a question that failed, until it is asked again. */
const ASK_AGAIN = 5_000;
/** So long before its end a token is renewed, in milliseconds, */
const RENEW_BEFORE = 60_000;
/** and never sooner than that after the last one. */
const RENEW_PAUSE = 10_000;
/** Waits between two tries to connect: full jitter up to a bound that doubles. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 20_000;
/** Failures after which the count is asked for beside each further try. */
const UNTIL_POLLING = 3;
/** A stream that was cut sooner than that counts as a failure. */
const SHORT_LIFE = 5_000;
/** Events that come together are answered by one question. */
const GATHER = 100;
/** Within so long one of the person's bells says that what came was delivered; the others hear of it. */
const CONFIRMED_WITHIN = 1_500;
/** Most that are confirmed at once. */
const MOST_CONFIRMED = 100;
/** What becomes of a notification and changes no number. */
const SILENT = ['notification.delivered', 'notification.seen', 'notification.escalated'];

const LABELS = {
  notifications: 'Notifications',
  unread: (count) => `${count} unread`,
  waiting: (count) => `${count} to acknowledge`,
  empty: 'Nothing unread',
  loading: 'Loading…',
  failed: 'That did not work. Try again.',
  away: 'Not connected. Trying again…',
  open: 'Open',
  read: 'Mark read',
  readAll: 'Mark all read',
  acknowledge: 'Acknowledge',
  more: (count) => `Show ${count} new`,
  older: 'Show older ones',
  high: 'High priority',
  close: 'Close',
};

const CSS = `
:host {
  display: inline-block !important;
  box-sizing: border-box !important;
  inline-size: var(--tidewatch-bell-size, 40px) !important;
  block-size: var(--tidewatch-bell-size, 40px) !important;
  min-inline-size: 0 !important;
  max-inline-size: none !important;
  min-block-size: 0 !important;
  max-block-size: none !important;
  padding: 0 !important;
  border: 0 !important;
  overflow: visible !important;
  visibility: visible !important;
  vertical-align: middle;
}
:host([hidden]) { display: none !important; }

.bell {
  all: initial;
  color-scheme: light dark;
  --text: var(--tidewatch-bell-text, #10202a);
  --soft: var(--tidewatch-bell-soft, #43545f);
  --surface: var(--tidewatch-bell-surface, #ffffff);
  --sunken: var(--tidewatch-bell-sunken, #edf2f4);
  --border: var(--tidewatch-bell-border, #7d8f99);
  --accent: var(--tidewatch-bell-accent, #0b6473);
  --on-accent: var(--tidewatch-bell-on-accent, #ffffff);
  --alarm: var(--tidewatch-bell-alarm, #a8221b);
  --on-alarm: var(--tidewatch-bell-on-alarm, #ffffff);
  display: block;
  position: relative;
  inline-size: 100%;
  block-size: 100%;
  color: var(--text);
  font: var(--tidewatch-bell-font, 400 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
}
@media (prefers-color-scheme: dark) {
  .bell {
    --text: var(--tidewatch-bell-text, #e7eff2);
    --soft: var(--tidewatch-bell-soft, #a8bac3);
    --surface: var(--tidewatch-bell-surface, #131e24);
    --sunken: var(--tidewatch-bell-sunken, #1a272e);
    --border: var(--tidewatch-bell-border, #5d747f);
    --accent: var(--tidewatch-bell-accent, #5cc8d6);
    --on-accent: var(--tidewatch-bell-on-accent, #04242a);
    --alarm: var(--tidewatch-bell-alarm, #ff9d94);
    --on-alarm: var(--tidewatch-bell-on-alarm, #3c1715);
  }
}
:host([theme="light"]) .bell {
  color-scheme: light;
  --text: var(--tidewatch-bell-text, #10202a);
  --soft: var(--tidewatch-bell-soft, #43545f);
  --surface: var(--tidewatch-bell-surface, #ffffff);
  --sunken: var(--tidewatch-bell-sunken, #edf2f4);
  --border: var(--tidewatch-bell-border, #7d8f99);
  --accent: var(--tidewatch-bell-accent, #0b6473);
  --on-accent: var(--tidewatch-bell-on-accent, #ffffff);
  --alarm: var(--tidewatch-bell-alarm, #a8221b);
  --on-alarm: var(--tidewatch-bell-on-alarm, #ffffff);
}
:host([theme="dark"]) .bell {
  color-scheme: dark;
  --text: var(--tidewatch-bell-text, #e7eff2);
  --soft: var(--tidewatch-bell-soft, #a8bac3);
  --surface: var(--tidewatch-bell-surface, #131e24);
  --sunken: var(--tidewatch-bell-sunken, #1a272e);
  --border: var(--tidewatch-bell-border, #5d747f);
  --accent: var(--tidewatch-bell-accent, #5cc8d6);
  --on-accent: var(--tidewatch-bell-on-accent, #04242a);
  --alarm: var(--tidewatch-bell-alarm, #ff9d94);
  --on-alarm: var(--tidewatch-bell-on-alarm, #3c1715);
}

button, a { font: inherit; color: inherit; cursor: pointer; touch-action: manipulation; }
button:focus-visible, a:focus-visible, .panel:focus-visible, h2:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[hidden] { display: none !important; }

.toggle {
  box-sizing: border-box;
  display: grid;
  place-items: center;
  inline-size: 100%;
  block-size: 100%;
  margin: 0;
  padding: 0;
  border: 1px solid transparent;
  border-radius: 10px;
  background: transparent;
}
.toggle:hover { background: var(--sunken); }
.toggle svg { inline-size: 55%; block-size: 55%; }
.badge {
  position: absolute;
  inset-block-start: 0;
  inset-inline-end: 0;
  box-sizing: border-box;
  min-inline-size: 18px;
  block-size: 18px;
  padding-inline: 5px;
  border-radius: 9px;
  background: var(--accent);
  color: var(--on-accent);
  font-size: 12px;
  font-weight: 600;
  line-height: 18px;
  text-align: center;
  pointer-events: none;
}
.badge[data-waiting] { background: var(--alarm); color: var(--on-alarm); }

.panel {
  box-sizing: border-box;
  position: fixed;
  inset: auto;
  margin: 0;
  padding: 0;
  inline-size: min(380px, calc(100vw - 16px));
  max-block-size: min(560px, calc(100vh - 16px));
  overflow: auto;
  overscroll-behavior: contain;
  border: 1px solid var(--border);
  border-radius: 12px;
  background: var(--surface);
  color: var(--text);
  box-shadow: 0 8px 24px rgb(0 0 0 / 25%);
}
header { display: flex; align-items: center; gap: 8px; padding: 12px 16px; border-block-end: 1px solid var(--border); }
h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 600; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: 12px 16px; border-block-end: 1px solid var(--border); }
li[data-high] { border-inline-start: 4px solid var(--alarm); }
p { margin: 0; overflow-wrap: anywhere; }
.title { font-weight: 600; }
.priority { color: var(--alarm); font-size: 13px; font-weight: 600; }
.body { white-space: pre-line; }
.note { padding: 16px; color: var(--soft); }
.older { margin: 12px 16px; }
.failed { padding: 8px 16px; color: var(--alarm); }
time { color: var(--soft); font-size: 13px; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin-block-start: 8px; }
.action {
  display: inline-block;
  box-sizing: border-box;
  min-block-size: 32px;
  padding: 4px 12px;
  border: 1px solid var(--border);
  border-radius: 8px;
  background: transparent;
  font-size: 14px;
  line-height: 22px;
  text-decoration: none;
  white-space: nowrap;
}
.action:hover { background: var(--sunken); }
.action[aria-disabled="true"] { opacity: 0.6; cursor: default; }
.main { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.main:hover { background: var(--accent); }
.said { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) {
  .panel:popover-open { animation: appear 120ms ease-out; }
  @keyframes appear { from { opacity: 0; transform: translateY(-4px); } }
}
@media (forced-colors: active) {
  .badge, .toggle { border: 1px solid; }
}
`;

/** One for all bells of a page; made when the first is, and allowed by every policy of content. */
let sheet;
function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}

/** An answer that is no success. */
class Failure extends Error {
  constructor(status, retryAfter = 0) {
    super(`answered ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  static of(response) {
    return new Failure(response.status, (Number(response.headers.get('retry-after')) || 0) * 1000);
  }
}

/** Waits, but no longer than until `signal`. */
function sleep(time, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, time);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/**
 * How long a token counts, from its arrival: from when it was signed to its end, or to the end that is said of it, both by
 * the clock of who signs. The visitor's may be wrong by more than that. Of a token that says nothing there is no other;
 * NaN where nothing is said either.
 */
function lifeOf(token, saidEnd) {
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    const ends = [claims.exp * 1000, saidEnd].filter((end) => !Number.isNaN(end));
    const life = Math.min(...ends) - claims.iat * 1000;
    if (Number.isFinite(life)) return life;
  } catch {
    // It is of another form.
  }
  return saidEnd - Date.now();
}

/** The token, as long as it counts: asked for once for all who need it, and anew before its end. */
class Tokens {
  #ask;
  #token = null;
  #asking = null;
  #timer = 0;
  #isStopped = false;

  constructor(ask) {
    this.#ask = ask;
  }

  get() {
    return this.#token === null ? this.#renew() : Promise.resolve(this.#token);
  }

  /** It was refused. */
  forget(token) {
    if (this.#token === token) this.#token = null;
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #renew() {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #fetch() {
    const said = await this.#ask();
    const { token, expiresAt } = typeof said === 'string' ? { token: said } : (said ?? {});
    if (typeof token !== 'string' || token === '') throw new Error('there is no token');
    this.#token = token;
    const left = lifeOf(token, Date.parse(expiresAt ?? ''));
    clearTimeout(this.#timer);
    // Nobody stops the timer of one that was stopped while it asked.
    if (!Number.isNaN(left) && !this.#isStopped) {
      // Where that fails, the one at hand is used until it is refused.
      this.#timer = setTimeout(() => this.#renew().catch(() => {}), Math.max(left - RENEW_BEFORE, RENEW_PAUSE));
    }
    return token;
  }
}

/** What the server says, and a stream of what becomes of this person's notifications. */
class Client {
  #server;
  #tokens;
  #stop = new AbortController();
  #last = null;
  #tell;
  /** What came, and of which no event says that it was delivered. */
  #unconfirmed = new Set();
  #confirming = 0;

  /**
   * `tell(what)`: `live`, `away`, or `changed`, which says no more than that there is something to ask for; `gap`: also of
   * what the stream has not told.
   */
  constructor(server, tokens, tell) {
    this.#server = server;
    this.#tokens = tokens;
    this.#tell = tell;
  }

  start() {
    void this.#run();
  }

  stop() {
    this.#stop.abort();
    this.#tokens.stop();
    clearTimeout(this.#confirming);
  }

  /**
   * Asks once, and with a new token once more where the old one is refused. What somebody does is done whether this is
   * stopped meanwhile or not, and whether they leave the page or not.
   */
  async ask(method, path, body) {
    for (let attempt = 0; ; attempt += 1) {
      const token = await this.#tokens.get();
      const response = await fetch(`${this.#server}/api/v1/notifications${path}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'omit',
        cache: 'no-store',
        ...(method === 'GET' ? { signal: this.#stop.signal } : { keepalive: true }),
      });
      if (response.ok) return response.json();
      if (response.status !== 401 || attempt > 0) throw Failure.of(response);
      this.#tokens.forget(token);
    }
  }

  async #run() {
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      const begun = Date.now();
      let token;
      let wait = 0;
      try {
        token = await this.#tokens.get();
        const end = await this.#listen(token);
        if (end === 'expired') this.#tokens.forget(token);
        failures = Date.now() - begun < SHORT_LIFE ? failures + 1 : 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        if (error instanceof Failure) {
          wait = error.retryAfter;
          // A new token is worth a try at once; a place to go on from that is none is not.
          if (error.status === 401) this.#tokens.forget(token);
          if (error.status === 400) this.#last = null;
          if (error.status === 401 && failures === 1) continue;
        }
      }
      if (signal.aborted) return;
      if (failures > 0) this.#tell('away');
      if (failures >= UNTIL_POLLING) this.#tell('changed');
      const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
      await sleep(wait + Math.random() * most, signal);
    }
  }

  /** Listens until the stream ends, and says whether that was the token's end. */
  async #listen(token) {
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    if (this.#last) headers['last-event-id'] = this.#last;
    const cut = new AbortController();
    const stop = () => cut.abort();
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    let timer = 0;
    try {
      const response = await fetch(`${this.#server}/api/v1/events/stream?types=notification.*`, {
        headers,
        credentials: 'omit',
        cache: 'no-store',
        signal: cut.signal,
      });
      if (!response.ok) throw Failure.of(response);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let silence = 60_000;
      let text = '';
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(stop, silence);
        const { done, value } = await reader.read();
        if (done) return 'ended';
        text += value;
        const blocks = text.split('\n\n');
        text = blocks.pop();
        for (const block of blocks) {
          const message = parse(block);
          if (message.event === 'connected') silence = 2_000 * (message.data.heartbeatSeconds ?? 30);
          if (this.#hear(message) === 'expired') return 'expired';
        }
      }
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener('abort', stop);
      cut.abort();
    }
  }

  #hear({ id, event, data }) {
    const isResumed = this.#last !== null;
    if (id) this.#last = id;
    if (event === 'connected') {
      this.#tell('live');
      this.#tell(isResumed ? 'changed' : 'gap');
    } else if (event === 'system_message') {
      if (data.code === 'SessionExpired') return 'expired';
      this.#tell('gap');
    } else if (event?.startsWith('notification.')) {
      if (event === 'notification.sent') this.#confirm(data.aggregateId);
      else this.#unconfirmed.delete(data.aggregateId);
      if (!SILENT.includes(event)) this.#tell('changed');
    }
    return undefined;
  }

  /** Says in a moment that this was delivered, unless by then another bell has, or somebody has gone on with it. */
  #confirm(id) {
    this.#unconfirmed.add(id);
    this.#confirming ||= setTimeout(() => {
      this.#confirming = 0;
      const ids = [...this.#unconfirmed].slice(0, MOST_CONFIRMED);
      for (const id of ids) this.#unconfirmed.delete(id);
      for (const id of [...this.#unconfirmed].slice(0, 1)) this.#confirm(id);
      // What is not confirmed now is so when the bell asks for it.
      if (ids.length > 0) this.ask('POST', '/steps', { ids, step: 'deliver' }).catch(() => {});
    }, Math.random() * CONFIRMED_WITHIN);
  }
}

/** A message of the stream. */
function parse(block) {
  const message = { id: '', event: '', data: {} };
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    if (name === 'id') message.id = value;
    if (name === 'event') message.event = value;
    if (name === 'data') message.data = JSON.parse(value);
  }
  return message;
}

/** An element with these attributes and children; text is text, whatever it holds. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function icon() {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  for (const [name, value] of Object.entries({ viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.8', 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' })) {
    svg.setAttribute(name, value);
  }
  path.setAttribute('d', 'M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9Zm4 11a2.2 2.2 0 0 0 4 0');
  svg.append(path);
  return svg;
}

class TidewatchBell extends HTMLElement {
  static observedAttributes = ['server', 'token-url', 'token'];

  #getToken = null;
  #labels = LABELS;
  #client = null;
  #parts = null;
  #items = new Map();
  /** Null: nobody has counted yet. */
  #count = null;
  /** Whether what the stream has not told has been asked for, and so been delivered. */
  #isDelivered = false;
  #limit = LISTED;
  #isAsked = false;
  /** Whether what is new may stand above what is shown: else that stays where it is, under somebody's pointer. */
  #takesNew = true;
  /** What was answered last, and which of it somebody has just dealt with: that goes at once, and not by a later shift. */
  #answered = [];
  #leaving = new Set();
  /** How many are new and wait, and whether the list was ever answered. */
  #held = 0;
  #isListed = false;
  #isAsking = false;
  #timer = 0;
  #retry = 0;
  #watch = () => (document.hidden ? this.#stop() : this.#start());
  #again = () => this.#restart();
  #place = () => this.#put();

  /** Gives a token, or {token, expiresAt}, each time that one is needed. Counts before the attributes. */
  get getToken() {
    return this.#getToken;
  }

  set getToken(ask) {
    this.#getToken = typeof ask === 'function' ? ask : null;
    this.#restart();
  }

  /** What it says, in another language: any of the names of the default ones. */
  get labels() {
    return this.#labels;
  }

  set labels(labels) {
    this.#labels = { ...LABELS, ...labels };
    this.#showLabels();
  }

  connectedCallback() {
    // Set before the script was there, it stands on the element and hides what is asked for here.
    for (const name of ['getToken', 'labels']) {
      if (Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }
    this.#parts ??= this.#build();
    document.addEventListener('visibilitychange', this.#watch);
    globalThis.addEventListener('online', this.#again);
    this.#watch();
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.#watch);
    globalThis.removeEventListener('online', this.#again);
    this.#stop();
  }

  attributeChangedCallback(name, before, after) {
    if (before !== after) this.#restart();
  }

  #restart() {
    if (!this.isConnected || !this.#parts) return;
    this.#stop();
    this.#watch();
  }

  /** While the page is shown: nobody looks at a badge that is not. */
  #start() {
    const ask = this.#asker();
    if (this.#client || !ask) return;
    const client = new Client(this.#server(), new Tokens(ask), (what) => {
      if (this.#client === client) this.#hear(what);
    });
    this.#client = client;
    client.start();
  }

  #stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    this.#timer = 0;
    this.#retry = 0;
    this.#client?.stop();
    this.#client = null;
  }

  #server() {
    return new URL(this.getAttribute('server') || HOME, document.baseURI).origin;
  }

  #asker() {
    const [url, token] = [this.getAttribute('token-url'), this.getAttribute('token')];
    if (this.#getToken) return async () => this.#getToken();
    if (url) {
      return async () => {
        const response = await fetch(new URL(url, document.baseURI), {
          headers: { accept: 'application/json' },
          credentials: 'same-origin',
          cache: 'no-store',
        });
        if (!response.ok) throw Failure.of(response);
        return response.json();
      };
    }
    return token ? async () => token : null;
  }

  #hear(what) {
    const { root, away } = this.#parts;
    if (what === 'gap') this.#isDelivered = false;
    if (what === 'changed' || what === 'gap') {
      // What comes meanwhile is in the answer.
      this.#timer ||= setTimeout(() => {
        this.#timer = 0;
        void this.#refresh();
      }, GATHER);
      return;
    }
    root.dataset.state = what;
    away.hidden = what === 'live';
  }

  /** Asks for the present state; never twice at a time, and once more where something changed meanwhile. */
  async #refresh() {
    if (this.#isAsking) {
      this.#isAsked = true;
      return;
    }
    this.#isAsking = true;
    clearTimeout(this.#retry);
    try {
      do {
        this.#isAsked = false;
        await (this.#isOpen() ? this.#readList() : this.#readCount());
      } while (this.#isAsked);
    } catch {
      // A reconnection asks again; where the stream is there, and so none comes, this does.
      const isLive = this.#client && this.#parts.root.dataset.state === 'live';
      this.#retry = isLive ? setTimeout(() => void this.#refresh(), ASK_AGAIN * (1 + Math.random())) : 0;
    } finally {
      this.#isAsking = false;
    }
  }

  /** Has something be done, also while the page is in the background and nothing listens: a link of the list has opened another. */
  async #do(path, body) {
    if (this.#client) return this.#client.ask('POST', path, body);
    const ask = this.#asker();
    if (!ask) throw new Error('there is no token');
    const client = new Client(this.#server(), new Tokens(ask), () => {});
    try {
      return await client.ask('POST', path, body);
    } finally {
      client.stop();
    }
  }

  async #readCount() {
    const client = this.#client;
    const count = await client?.ask('GET', '/count');
    this.#setCount(count);
    if (!count || this.#isDelivered) return;
    if (count.unread + count.unacknowledged > 0) await client.ask('GET', `?folder=open&limit=${LISTED}`);
    if (client === this.#client) this.#isDelivered = true;
  }

  async #readList() {
    // What was read and waits to be acknowledged is among them.
    const page = await this.#client?.ask('GET', `?folder=open&limit=${this.#limit}`);
    if (!page) return;
    this.#setCount(page);
    this.#showList(page.notifications);
    const { older, list, shadow } = this.#parts;
    const hadFocus = shadow.activeElement === older;
    older.hidden = !page.next || this.#limit >= MOST_LISTED;
    if (hadFocus && older.hidden) list.lastElementChild?.querySelector('button:not([hidden]), a')?.focus();
    const unseen = page.notifications.filter(({ seenAt }) => !seenAt).map(({ id }) => id);
    if (unseen.length > 0 && this.#isOpen()) {
      this.#setCount(await this.#client?.ask('POST', '/steps', { ids: unseen, step: 'see' }));
    }
  }

  #setCount(count) {
    if (!count) return;
    const { unread, unacknowledged } = count;
    const isOther = unread !== this.#count?.unread || unacknowledged !== this.#count?.unacknowledged;
    this.#count = { unread, unacknowledged };
    this.#showCount();
    if (isOther) {
      this.#parts.said.textContent = this.#summary();
      this.dispatchEvent(new CustomEvent('tidewatch-count', { detail: { ...this.#count }, bubbles: true, composed: true }));
    }
  }

  /** What is known of the number; nothing before it is. */
  #summary() {
    if (!this.#count) return '';
    const { unread, unacknowledged } = this.#count;
    const said = [unread > 0 && this.#labels.unread(unread), unacknowledged > 0 && this.#labels.waiting(unacknowledged)];
    return said.filter(Boolean).join(', ') || this.#labels.empty;
  }

  #showCount() {
    if (!this.#parts) return;
    const { toggle, badge, more, readAll } = this.#parts;
    const { unread, unacknowledged } = this.#count ?? { unread: 0, unacknowledged: 0 };
    const shown = unread || unacknowledged;
    badge.textContent = shown > 99 ? '99+' : String(shown);
    badge.hidden = shown === 0;
    badge.toggleAttribute('data-waiting', unacknowledged > 0);
    // One of the two: there is no room for both in a line, and a second line would move the list.
    readAll.hidden = unread === 0 || !more.hidden;
    toggle.setAttribute('aria-label', [this.#labels.notifications, this.#summary()].filter(Boolean).join(': '));
  }

  /** Says everything in the words that are set now. */
  #showLabels() {
    if (!this.#parts) return;
    const { heading, more, readAll, older, close, away, failed, empty, list, panel, shadow } = this.#parts;
    const { notifications } = this.#labels;
    heading.textContent = notifications;
    panel.setAttribute('aria-label', notifications);
    list.setAttribute('aria-label', notifications);
    readAll.textContent = this.#labels.readAll;
    older.textContent = this.#labels.older;
    close.setAttribute('aria-label', this.#labels.close);
    away.textContent = this.#labels.away;
    failed.textContent = this.#labels.failed;
    empty.textContent = this.#isListed ? this.#labels.empty : this.#labels.loading;
    const focused = shadow.activeElement?.closest('li');
    for (const [id, { element, notification }] of this.#items) {
      const item = this.#item(notification);
      element.replaceWith(item.element);
      this.#items.set(id, item);
      if (element === focused) item.element.querySelector('button:not([hidden]), a')?.focus();
    }
    more.textContent = this.#labels.more(this.#held);
    this.#showCount();
  }

  /** Shows these, and keeps of what is shown whatever has not changed: focus stays where it is. */
  #showList(answered) {
    const { list, empty } = this.#parts;
    this.#isListed = true;
    this.#answered = answered;
    const notifications = this.#hold(answered.filter(({ id }) => !this.#leaving.has(id)));
    const ids = new Set(notifications.map(({ id }) => id));
    const focused = this.#parts.shadow.activeElement?.closest('li');
    for (const [id, item] of this.#items) {
      if (!ids.has(id)) {
        if (item.element === focused) this.#moveFocusFrom(item.element);
        item.element.remove();
        this.#items.delete(id);
      }
    }
    notifications.forEach((notification, index) => {
      let item = this.#items.get(notification.id);
      if (item && item.notification.version < notification.version) {
        item.notification = notification;
        // Seen, read, or acknowledged by somebody else: nothing else of it changes while it is in the list.
        item.acknowledge?.toggleAttribute('hidden', !waits(notification));
        const hadFocus = this.#parts.shadow.activeElement === item.read;
        item.read.toggleAttribute('hidden', Boolean(notification.readAt));
        if (hadFocus && notification.readAt) (item.acknowledge ?? this.#parts.heading).focus();
      }
      item ??= this.#item(notification);
      this.#items.set(notification.id, item);
      if (list.children[index] !== item.element) list.insertBefore(item.element, list.children[index] ?? null);
    });
    empty.textContent = this.#labels.empty;
    empty.hidden = notifications.length > 0;
  }

  /** Of these, what is shown: what is newer than what stands there waits until it is asked for. */
  #hold(all) {
    const { more } = this.#parts;
    const newest = [...this.#items.keys()].sort().at(-1);
    const shown = this.#takesNew || newest === undefined ? all : all.filter(({ id }) => id <= newest);
    this.#held = all.length - shown.length;
    more.textContent = this.#labels.more(this.#held);
    more.hidden = this.#held === 0;
    this.#showCount();
    this.#takesNew = false;
    return shown;
  }

  #moveFocusFrom(element) {
    const next = element.nextElementSibling ?? element.previousElementSibling;
    (next?.querySelector('button:not([hidden]), a') ?? this.#parts.heading).focus();
  }

  #item(notification) {
    const { title, body, sentAt, priority } = notification;
    const link = destination(notification.link, this.#server());
    const sent = new Date(sentAt);
    const language = this.closest('[lang]')?.lang || navigator.language;
    const time = make('time', { part: 'time', datetime: sentAt }, whenIn(language, sent));
    const read = make('button', { type: 'button', class: 'action', part: 'action read' }, this.#labels.read);
    read.addEventListener('click', () => this.#take(item.notification, 'read', read));
    read.toggleAttribute('hidden', Boolean(notification.readAt));
    const item = { notification, element: null, acknowledge: null, read };
    const actions = make('div', { class: 'actions', part: 'actions' });
    if (notification.mustAcknowledge) {
      item.acknowledge = make('button', { type: 'button', class: 'action main', part: 'action acknowledge' }, this.#labels.acknowledge);
      item.acknowledge.addEventListener('click', () => this.#take(item.notification, 'acknowledge', item.acknowledge));
      item.acknowledge.toggleAttribute('hidden', !waits(notification));
      actions.append(item.acknowledge);
    }
    if (link) {
      const open = make('a', { class: 'action', part: 'action link', href: link, target: '_blank', rel: 'noopener noreferrer' }, this.#labels.open);
      open.addEventListener('click', (event) => this.#open(event, item.notification));
      actions.append(open);
    }
    actions.append(read);
    item.element = make(
      'li',
      { part: 'item', 'data-high': priority === 'high' ? '' : undefined },
      ...(priority === 'high' ? [make('p', { class: 'priority', part: 'priority' }, this.#labels.high)] : []),
      make('p', { class: 'title', part: 'title' }, title),
      ...(body ? [make('p', { class: 'body', part: 'body' }, body)] : []),
      time,
      actions,
    );
    return item;
  }

  #open(event, notification) {
    const opens = this.dispatchEvent(new CustomEvent('tidewatch-open', { detail: { notification }, bubbles: true, composed: true, cancelable: true }));
    if (!opens) event.preventDefault();
    // Behind the click: what it was on is gone then.
    setTimeout(() => this.#take(notification, 'read', event.target));
  }

  /**
   * Takes a step, and shows what is so then: all of it again where that failed. What it has leave the list goes at once;
   * what is read and waits to be acknowledged stays.
   */
  async #take(notification, step, control) {
    const { id } = notification;
    if (step === 'read' && notification.readAt) return;
    if (step !== 'read' || !waits(notification)) this.#leaving.add(id);
    this.#showList(this.#answered);
    await this.#act(control, async () => {
      try {
        await this.#do(`/${id}/${step}`);
      } catch (error) {
        this.#takesNew = true;
        throw error;
      } finally {
        this.#leaving.delete(id);
      }
    });
  }

  async #act(control, act) {
    const { failed } = this.#parts;
    if (control.getAttribute('aria-disabled') === 'true') return;
    control.setAttribute('aria-disabled', 'true');
    failed.hidden = true;
    try {
      await act();
    } catch {
      failed.textContent = this.#labels.failed;
      failed.hidden = false;
    } finally {
      control.removeAttribute('aria-disabled');
    }
    await this.#refresh();
  }

  #build() {
    const shadow = this.attachShadow({ mode: 'closed' });
    shadow.adoptedStyleSheets = [styles()];
    const badge = make('span', { class: 'badge', part: 'badge', 'aria-hidden': 'true', hidden: '' });
    const toggle = make('button', { class: 'toggle', part: 'button', type: 'button', 'aria-haspopup': 'dialog', 'aria-expanded': 'false' }, icon(), badge);
    const heading = make('h2', { part: 'heading', tabindex: '-1' }, this.#labels.notifications);
    const readAll = make('button', { class: 'action', part: 'action read-all', type: 'button', hidden: '' }, this.#labels.readAll);
    const more = make('button', { class: 'action main', part: 'action more', type: 'button', hidden: '' });
    const close = make('button', { class: 'action', part: 'action close', type: 'button', 'aria-label': this.#labels.close }, '✕');
    const away = make('p', { class: 'note', part: 'away', hidden: '' }, this.#labels.away);
    const failed = make('p', { class: 'failed', part: 'failed', role: 'alert', hidden: '' });
    const empty = make('p', { class: 'note', part: 'empty' }, this.#labels.loading);
    const older = make('button', { class: 'action older', part: 'action older', type: 'button', hidden: '' }, this.#labels.older);
    const list = make('ul', { part: 'list', 'aria-label': this.#labels.notifications });
    const panel = make('div', { class: 'panel', part: 'panel', role: 'dialog', popover: 'auto', 'aria-label': this.#labels.notifications }, make('header', { part: 'header' }, heading, more, readAll, close), empty, list, older, failed, away);
    const said = make('span', { class: 'said', role: 'status' });
    const root = make('div', { class: 'bell', part: 'bell', 'data-state': 'away' }, toggle, panel, said);
    shadow.append(root);
    this.#parts = { shadow, root, toggle, badge, panel, heading, more, readAll, close, away, failed, empty, list, older, said };

    if (panel.showPopover) {
      toggle.popoverTargetElement = panel;
    } else {
      // A browser from before 2024: the inbox itself is a click away, and the panel never opens.
      panel.hidden = true;
      toggle.addEventListener('click', () => globalThis.open(`${this.#server()}/notifications`, '_blank', 'noopener'));
    }
    panel.addEventListener('beforetoggle', ({ newState }) => newState === 'open' && this.#put());
    panel.addEventListener('toggle', ({ newState }) => this.#toggled(newState === 'open'));
    panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    });
    close.addEventListener('click', () => this.#close());
    more.addEventListener('click', () => {
      this.#takesNew = true;
      heading.focus();
      this.#showList(this.#answered);
    });
    older.addEventListener('click', () => {
      this.#limit = Math.min(this.#limit + LISTED, MOST_LISTED);
      void this.#act(older, async () => {});
    });
    readAll.addEventListener('click', () => {
      const [newest] = this.#items.values();
      const upTo = [...this.#items.keys()].sort().at(-1);
      if (newest) void this.#act(readAll, () => this.#do('/read', { upTo }));
    });
    this.#showCount();
    return this.#parts;
  }

  #isOpen() {
    const panel = this.#parts?.panel;
    // Who knows no popovers does not know the name of their state either.
    return panel?.showPopover ? panel.matches(':popover-open') : false;
  }

  #close() {
    this.#parts.panel.hidePopover();
    this.#parts.toggle.focus();
  }

  #toggled(isOpen) {
    const { toggle, heading, failed } = this.#parts;
    toggle.setAttribute('aria-expanded', String(isOpen));
    const listen = isOpen ? 'addEventListener' : 'removeEventListener';
    globalThis[listen]('resize', this.#place);
    globalThis[listen]('scroll', this.#place, { capture: true, passive: true });
    if (!isOpen) return;
    failed.hidden = true;
    this.#takesNew = true;
    this.#limit = LISTED;
    this.#put();
    heading.focus({ preventScroll: true });
    void this.#refresh();
  }

  /** Puts the panel below the button, or above where there is more room, and never outside the window. */
  #put() {
    const { toggle, panel } = this.#parts;
    const [button, gap] = [toggle.getBoundingClientRect(), 8];
    const [width, height] = [document.documentElement.clientWidth, globalThis.innerHeight];
    const [below, above] = [height - button.bottom - 2 * gap, button.top - 2 * gap];
    const isBelow = below >= Math.min(400, above);
    const size = Math.min(380, width - 2 * gap);
    const left = Math.min(Math.max(gap, button.right - size), width - size - gap);
    // By the object model: policies of content that forbid attributes of style allow that.
    panel.style.setProperty('left', `${left}px`);
    panel.style.setProperty('top', isBelow ? `${button.bottom + gap}px` : 'auto');
    panel.style.setProperty('bottom', isBelow ? 'auto' : `${height - button.top + gap}px`);
    panel.style.setProperty('max-height', `${Math.max(160, Math.min(560, isBelow ? below : above))}px`);
  }
}

/** Whether it waits to be acknowledged. */
function waits({ mustAcknowledge, acknowledgedAt, settledAt }) {
  return mustAcknowledge && !acknowledgedAt && !settledAt;
}

/** A time as people of this language write it; as anybody does where there is no such language. */
function whenIn(language, time) {
  const form = { dateStyle: 'medium', timeStyle: 'short' };
  try {
    return new Intl.DateTimeFormat(language, form).format(time);
  } catch {
    return new Intl.DateTimeFormat(undefined, form).format(time);
  }
}

/** Where a notification leads: to Tidewatch's own pages, or elsewhere by TLS; null: nowhere. */
function destination(link, server) {
  if (!link) return null;
  try {
    const url = new URL(link, server);
    return url.origin === server || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}

if (!customElements.get('tidewatch-bell')) customElements.define('tidewatch-bell', TidewatchBell);
