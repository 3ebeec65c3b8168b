declare const tag: unique symbol;

/** A primitive that only its parser can make, so that a value of this type has been checked. */
export type Brand<Primitive, Name extends string> = Primitive & { readonly [tag]: Name };
