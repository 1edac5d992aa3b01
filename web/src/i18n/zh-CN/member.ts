/** 主办方的会员计划。 */
export default {
  member: {
    code: '会员码',
    use: '使用',
    hint: '{name}：会员码见以往订单的确认邮件，下单时请使用同一邮箱。',
    join: '随本订单加入{name}',
    join_hint: '免费加入：购票金额累计积分，积分决定等级。会员码将随订单确认一并发送。',
    member: '{name}会员',
    level: '{name}·{level}',
    remove: '不使用会员码',
    early: '会员可在公开发售前购买这些门票。',
    early_wrong: '该会员码目前还不能提前购买这些门票。',
    early_from: '会员最早 {at} 可购买',
    early_open: '会员购票已为您开放',
    earned: '本订单未累计积分 | 本订单累计 1 积分 | 本订单累计 {n} 积分',
    points: '累计 0 积分 | 累计 1 积分 | 累计 {n} 积分',
    reached: '当前等级：{level}',
    missing: '已达到下一等级“{level}” | 再得 1 积分升级为“{level}” | 再得 {n} 积分升级为“{level}”',
    your_code: '您的会员码',
    kept: '本设备已记住会员码，下次使用同一邮箱下单即可享受优惠。',
    by_mail: '会员码见本订单的确认邮件。',
  },
}
