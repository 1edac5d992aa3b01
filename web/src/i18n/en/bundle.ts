/** What a visitor reads of several tickets that are sold as one. */
export default {
  bundle: {
    contents: 'In this bundle',
    part: '{n} × {name}',
    whole: 'Sold as one. It goes back only as a whole, by the deadline of its first date.',
    of: 'Part of {name}',
    of_n: 'Part of {name}, no. {n}',
    rules: 'For {name}',
    together: 'The tickets of a bundle go back together: choosing one chooses them all.',
  },
}
