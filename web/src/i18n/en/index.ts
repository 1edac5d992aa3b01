import attendee from './attendee'
import bundle from './bundle'
import member from './member'
import message from './message'
import order from './order'
import payment from './payment'
import problems from './problems'
import refund from './refund'
import seats from './seats'
import shop from './shop'
import story from './story'

export default { ...attendee, ...shop, ...problems, ...order, ...payment, ...member, ...message, ...refund, ...seats, ...story, ...bundle }
