/** 几张门票合在一起卖时，访客看到的文字。 */
export default {
  bundle: {
    contents: '联票包含',
    part: '{n} × {name}',
    whole: '联票整套出售，只能整套退，期限以其中最早的场次为准。',
    of: '属于联票：{name}',
    of_n: '属于联票：{name}（第 {n} 套）',
    rules: '联票：{name}',
    together: '同一套联票的门票须一起退：选中一张即选中整套。',
  },
}
