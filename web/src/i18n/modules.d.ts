// These ship without types of their own.
declare module 'element-plus/es/locale/lang/en.mjs' {
  const locale: { name: string; el: object }
  export default locale
}
declare module 'element-plus/es/locale/lang/zh-cn.mjs' {
  const locale: { name: string; el: object }
  export default locale
}
declare module 'element-plus/theme-chalk/*.css'
