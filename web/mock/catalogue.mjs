// The demo catalogue of the development mock: one event of every kind, in every mood a page must show.
const day = 86_400_000
const iso = (t) => new Date(t).toISOString().replace('.000Z', 'Z')
const at = (days, hour) => {
  const d = new Date(Date.now() + days * day)
  d.setUTCHours(hour, 30, 0, 0)
  return d.getTime()
}
const text = (en, zh) => ({ en, 'zh-CN': zh })
const cny = (amount) => ({ amount, currency: 'CNY' })

const venues = {
  grand: { id: 'v1', name: text('Grand Theatre', '上海大剧院'), city: text('Shanghai', '上海'), address: text('300 People’s Avenue, Huangpu', '黄浦区人民大道 300 号'), time_zone: 'Asia/Shanghai' },
  studio: { id: 'v2', name: text('Studio Cinema', '光影影城'), city: text('Beijing', '北京'), address: text('18 Gulou East Street', '东城区鼓楼东大街 18 号'), time_zone: 'Asia/Shanghai' },
  hall: { id: 'v3', name: text('Harbour Hall', '海港音乐厅'), city: text('Tokyo', '东京'), address: text('2-1 Minato', '港区 2-1'), time_zone: 'Asia/Tokyo' },
  stadium: { id: 'v4', name: text('Riverside Stadium', '滨江体育场'), city: text('London', '伦敦'), address: text('1 River Way, SE10', '河畔路 1 号'), time_zone: 'Europe/London' },
  coach: { id: 'v5', name: text('East Coach Station', '客运东站'), city: text('Hangzhou', '杭州'), address: text('71 Genshan East Road', '上城区艮山东路 71 号'), time_zone: 'Asia/Shanghai' },
}

/** A ladder as [days before the session, fee in basis points]. */
const ladder = (starts, steps) => ({
  free: false,
  steps: steps.map(([days, fee]) => ({ until: iso(starts - days * day), fee_basis_points: fee })),
})

function session(id, eventId, venue, starts, hours, types, refunds = [[7, 0], [2, 1000], [1, 5000]]) {
  return {
    id,
    event_id: eventId,
    venue,
    starts_at: iso(starts),
    ends_at: iso(starts + hours * 3_600_000),
    refund_policy: ladder(starts, refunds),
    ticket_types: types.map((t, i) => ({
      id: `${id}-t${i + 1}`,
      session_id: id,
      name: t.name,
      base_price: t.base,
      surcharge: t.surcharge ?? { ...t.base, amount: 0 },
      price: { ...t.base, amount: t.base.amount + (t.surcharge?.amount ?? 0) },
      ...(t.phase ? { phase: t.phase } : {}),
      max_per_order: t.max ?? 4,
      sale_from: iso(t.from ?? Date.now() - 10 * day),
      sale_until: iso(t.until ?? starts),
      on_sale: (t.from ?? 0) < Date.now(),
      capacity: t.capacity ?? 200,
      available: t.left ?? 120,
    })),
  }
}

export function catalogue() {
  const early = { name: text('Early bird', '早鸟价'), until: iso(Date.now() + 6 * day) }
  const events = [
    {
      id: 'ev-concert', kind: 'concert', state: 'ON_SALE', organiser: 'Northern Lights Presents', max_per_order: 6, order_fee: cny(600), hold_seconds: 900,
      title: text('Aurora String Quartet: Night Music', '极光弦乐四重奏「夜曲」'),
      summary: text('Schubert, Ravel and a new commission for four strings and silence. Two hours with one interval.', '舒伯特、拉威尔，以及一部为四把弦乐与寂静而作的新曲。全场约两小时，含中场休息。'),
      sessions: [
        session('se-c1', 'ev-concert', venues.grand, at(8, 11), 2, [
          { name: text('Stalls', '池座'), base: cny(38000), surcharge: cny(2000), phase: early, left: 62 },
          { name: text('Balcony', '楼座'), base: cny(28000), left: 7 },
          { name: text('Box', '包厢'), base: cny(88000), surcharge: cny(8000), left: 0, max: 2 },
          { name: text('Students', '学生票'), base: cny(9000), from: Date.now() + 2 * day, max: 1 },
        ]),
        session('se-c2', 'ev-concert', venues.grand, at(9, 11), 2, [
          { name: text('Stalls', '池座'), base: cny(38000), surcharge: cny(2000), phase: early },
          { name: text('Balcony', '楼座'), base: cny(28000) },
        ]),
      ],
    },
    {
      id: 'ev-cinema', kind: 'cinema', state: 'ON_SALE', organiser: 'Studio Cinema', max_per_order: 8, order_fee: cny(0), hold_seconds: 600,
      title: text('The Last Ferry', '末班渡轮'),
      summary: text('A lighthouse keeper, a strike and one night on the water. In the original language with subtitles.', '一位守塔人、一场罢工，和水上的一夜。原声放映，配中文字幕。'),
      sessions: [1, 2, 3].map((n) => session(`se-f${n}`, 'ev-cinema', venues.studio, at(n, 11), 2, [
        { name: text('Adult', '成人票'), base: cny(5900), surcharge: cny(300) },
        { name: text('Child', '儿童票'), base: cny(3500), left: 18 },
      ])),
    },
    {
      id: 'ev-theatre', kind: 'theatre', state: 'ON_SALE', organiser: 'Company of the Lane', max_per_order: 4, order_fee: { amount: 200, currency: 'JPY' }, hold_seconds: 900,
      title: text('The Cherry Orchard', '樱桃园'),
      summary: text('Chekhov in a new translation, played in the round.', '契诃夫名作，全新译本，环形舞台演出。'),
      sessions: [session('se-t1', 'ev-theatre', venues.hall, at(14, 9), 3, [
        { name: text('First rows', '前排'), base: { amount: 9800, currency: 'JPY' }, left: 3, max: 4 },
        { name: text('All other rows', '普通席'), base: { amount: 6800, currency: 'JPY' }, left: 24 },
      ], [])],
    },
    {
      id: 'ev-sport', kind: 'sport', state: 'ON_SALE', organiser: 'City League', max_per_order: 6, order_fee: { amount: 150, currency: 'GBP' }, hold_seconds: 900,
      title: text('Riverside Rovers v Northgate United', '滨江漫游者 对 北门联'),
      summary: text('The last match of the season, and the one that decides it.', '赛季收官之战，冠军就此揭晓。'),
      sessions: [session('se-m1', 'ev-sport', venues.stadium, at(21, 15), 2, [
        { name: text('North stand', '北看台'), base: { amount: 3200, currency: 'GBP' }, capacity: 9000, left: 4210 },
        { name: text('Family block', '家庭区'), base: { amount: 1800, currency: 'GBP' }, left: 0 },
      ])],
    },
    {
      id: 'ev-journey', kind: 'journey', state: 'ON_SALE', organiser: 'Lakeland Coaches', max_per_order: 5, order_fee: cny(200), hold_seconds: 900,
      title: text('Hangzhou to Huangshan by coach', '杭州 → 黄山 直达大巴'),
      summary: text('Three and a half hours along the Xin’an river, with a stop for tea.', '沿新安江而行，全程约三个半小时，中途停靠茶歇。'),
      sessions: [session('se-j1', 'ev-journey', venues.coach, at(3, 0), 4, [{ name: text('Seat', '座位票'), base: cny(12800), left: 31 }], [[0.1, 500]])],
    },
    {
      id: 'ev-gone', kind: 'concert', state: 'ON_SALE', organiser: 'Northern Lights Presents', max_per_order: 4, order_fee: cny(0), hold_seconds: 900,
      title: text('Paper Kites, acoustic', '纸鸢乐队 不插电专场'),
      summary: text('One room, no amplifiers.', '一间屋子，没有音箱。'),
      sessions: [session('se-g1', 'ev-gone', venues.studio, at(5, 12), 2, [{ name: text('Standing', '站票'), base: cny(18000), left: 0 }])],
    },
    {
      id: 'ev-paused', kind: 'theatre', state: 'POSTPONED', organiser: 'Company of the Lane', max_per_order: 4, order_fee: cny(0), hold_seconds: 900,
      title: text('The Peony Pavilion', '牡丹亭'),
      summary: text('Kunqu opera in two evenings.', '昆曲全本，分上下两晚演出。'),
      sessions: [session('se-p1', 'ev-paused', venues.grand, at(30, 11), 3, [{ name: text('Stalls', '池座'), base: cny(48000) }])],
    },
  ]
  return events
}

export function summaryOf(e) {
  const types = e.sessions.flatMap((s) => s.ticket_types)
  const starts = e.sessions.map((s) => s.starts_at).sort()
  const { venue } = e.sessions[0]
  return {
    id: e.id, kind: e.kind, title: e.title, summary: e.summary, organiser: e.organiser, state: e.state,
    city: venue.city, venue: venue.name, time_zone: venue.time_zone,
    first_session_at: starts[0], last_session_at: starts.at(-1),
    price_from: types.map((t) => t.price).sort((a, b) => a.amount - b.amount)[0],
    available: types.reduce((n, t) => n + t.available, 0),
  }
}
