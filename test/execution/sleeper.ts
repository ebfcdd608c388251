/** Another OS process, for the tests to judge: it says that it is there, and then does nothing. */
console.log('ready')
setInterval(() => {}, 60_000)
