/** Where V8 leaves what each process of the tests ran; .c8rc.json names the same folder. */
export const V8_OUTPUT = "coverage/v8";
