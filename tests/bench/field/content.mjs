// One beat, its places and the visits there: the same for whoever is measured, by a seed.

const SEED = 20261130
export const BEAT = 'beat-900'
/** Who wrote the visits, and whose phone is measured. */
export const WRITERS = ['Айгүл Сейітова', 'Болат Нұрланов', 'Сәуле Қасымова', 'Данияр Омаров']
const DAY = 86_400_000
/** Today is the day of the run, for what is due or late is told by the clock. */
const TODAY = Math.floor(Date.now() / DAY) * DAY

const STREETS = ['Абая', 'Сатпаева', 'Төле би', 'Жандосова', 'Розыбакиева', 'Тимирязева', 'Қабанбай батыра', 'Манаса']
const TYPES = ['door_to_door', 'door_to_door', 'door_to_door', 'follow_up', 'preventive', 'complaint']
const OUTCOMES = ['contacted', 'contacted', 'contacted', 'nobody_home', 'nobody_home', 'no_access', 'refused', 'moved']
const CONCERNS = ['noise', 'theft', 'fraud', 'alcohol', 'lighting', 'elder_at_risk']
const WORDS = {
  ru: `дверь открыла соседка хозяин на работе до вечера просил зайти в субботу жалуется на шум ночью из соседней квартиры
    проведена беседа о безопасности вручена памятка во дворе не горит фонарь дети играют возле дороги просит ускорить ответ
    акимата на заявление подозрительных лиц не видел номер телефона уточнён живёт один пенсионер нужна помощь с документами`,
  kk: `есікті көршісі ашты үй иесі кешке дейін жұмыста сенбі күні келуін сұрады түнгі шуға шағымданады көрші пәтерден
    қауіпсіздік туралы әңгіме жүргізілді жадынама берілді аулада шам жанбайды балалар жол бойында ойнайды өтінішке жауапты
    тездетуін сұрайды күдікті адамдарды көрмеген телефон нөмірі нақтыланды жалғыз тұратын зейнеткер құжаттарға көмек керек`,
}
const VOCABULARY = Object.fromEntries(Object.entries(WORDS).map(([language, words]) => [language, words.split(/\s+/)]))

/** Mulberry32. */
function randomness(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function content({ places, visits, changes }, turn = 0) {
  const next = randomness(SEED)
  const below = (n) => Math.floor(next() * n)
  const one = (list) => list[below(list.length)]
  const words = (least, most) => {
    const vocabulary = VOCABULARY[one(['ru', 'ru', 'kk'])]
    const length = least + below(most - least)
    let text = ''
    while (text.length < least) text += `${text && ' '}${one(vocabulary)}`
    while (text.length < length) text += ` ${one(vocabulary)}`
    return text.slice(0, most)
  }
  const made = Array.from({ length: places }, (_, number) => ({
    code: String(2_200_000_000 + number),
    address: `ул. ${STREETS[number % STREETS.length]}, ${1 + Math.floor(number / 80)}, кв. ${1 + (Math.floor(number / STREETS.length) % 10)}`,
    type: 'apartment',
    lat: 43.22 + Math.floor(number / 50) / 2000,
    lon: 76.88 + (number % 50) / 2000,
  }))
  const day = (at) => new Date(at).toISOString().slice(0, 10)
  const visit = (at) => {
    const place = below(places)
    const { lat, lon } = made[place]
    return {
      place,
      visit_type: one(TYPES),
      outcome: one(OUTCOMES),
      started_at: at,
      ended_at: at + 60_000 * (2 + below(20)),
      position: { lat: lat + next() / 5000, lon: lon + next() / 5000, accuracy_m: 4 + below(30), mock: false },
      note: words(80, 200),
      concerns: below(5) === 0 ? [{ category: one(CONCERNS), text: words(20, 60) }] : [],
      referrals: [],
      commitments: below(10) === 0 ? [{ to: 'житель', text: words(20, 60), due: day(at + DAY * (7 + below(60))) }] : [],
    }
  }
  // Over a year until yesterday, the oldest first.
  const step = (365 * DAY) / visits
  const old = Array.from({ length: visits }, (_, n) => visit(Math.round(TODAY - 366 * DAY + n * step + below(step))))
  // What the phone misses in its turn: half new visits, half further words about old ones.
  for (let skip = 0; skip < turn * changes; skip++) visit(0)
  const fresh = Array.from({ length: changes / 2 }, () => visit(TODAY - below(DAY)))
  const edited = Array.from({ length: changes / 2 }, () => ({ outcome: one(OUTCOMES), note: words(80, 200) }))
  const own = Array.from({ length: 100 }, () => visit(TODAY + below(DAY / 2)))
  return { places: made, visits: old, fresh, edited, own }
}

/** Some address each: no two places have the same. */
export function csv(rows) {
  return rows.map((row) => row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(',')).join('\n') + '\n'
}
