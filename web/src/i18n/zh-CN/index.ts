import attendee from './attendee'
import type { Words } from '../words'
import message from './message'
import order from './order'
import payment from './payment'
import problems from './problems'
import refund from './refund'
import shop from './shop'
import story from './story'

const words: Words = { ...attendee, ...shop, ...problems, ...order, ...payment, ...message, ...refund, ...story }

export default words
