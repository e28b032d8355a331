// The same package for `require`.
import sessionreg = require('sessionreg')
import runtimeStatus = require('sessionreg/runtime-status')

const record: sessionreg.SessionRecord | null = sessionreg.readSync('/p')
const cleared: Promise<void> = runtimeStatus.clearRuntimeStatus('/p')
console.log(record?.extra, cleared)
