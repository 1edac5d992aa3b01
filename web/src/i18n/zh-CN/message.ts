/** 邮件和短信通知。 */
export default {
  message: {
    list: '我们发给您的通知',
    mail_to: '邮件发至 {to}',
    sms_to: '短信发至 {to}',
    states: {
      waiting: '正在发送',
      sent: '已发送',
      delivered: '已送达',
      failed: '未能送达',
      unsure: '可能未送达',
    },
    kinds: {
      hold_expiring: '留票即将结束',
      paid: '您的门票',
      retaken: '您的门票（付款较晚到账）',
      expired: '订单已超时',
      cancelled: '订单已取消',
      payment_returned: '一笔付款将退还给您',
      refund_requested: '已收到您的退票申请',
      refunded: '退款已完成',
      tickets_frozen: '门票暂时冻结',
      tickets_restored: '门票已恢复有效',
      tickets_withdrawn: '门票已失效',
      session_changed: '时间或地点有变',
      event_cancelled: '活动已取消',
      event_postponed: '活动已延期',
      reminder: '即将开始',
      other: '订单通知',
    },
  },
}
