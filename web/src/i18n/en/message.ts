/** What the buyer was told by mail and SMS. */
export default {
  message: {
    list: 'What we sent you',
    mail_to: 'Mail to {to}',
    sms_to: 'SMS to {to}',
    states: {
      waiting: 'on its way',
      sent: 'sent',
      delivered: 'delivered',
      failed: 'could not be delivered',
      unsure: 'may not have arrived',
    },
    kinds: {
      hold_expiring: 'Your hold ends soon',
      paid: 'Your tickets',
      retaken: 'Your tickets, after a late payment',
      expired: 'Your order has expired',
      cancelled: 'Your order is cancelled',
      payment_returned: 'A payment goes back to you',
      refund_requested: 'We have your refund request',
      refunded: 'Your refund is paid back',
      tickets_frozen: 'Your tickets are on hold',
      tickets_restored: 'Your tickets are valid again',
      tickets_withdrawn: 'Your tickets are no longer valid',
      session_changed: 'New time or place',
      event_cancelled: 'The event is cancelled',
      event_postponed: 'The event is postponed',
      reminder: 'It begins soon',
      other: 'About your order',
    },
  },
}
