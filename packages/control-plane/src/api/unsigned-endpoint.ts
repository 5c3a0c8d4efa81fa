/**
 * What the API's listener answers without a signature, beside the operations: `GET` for what anybody may know, `POST` for who
 * proves himself by what is in the body.
 */
export type UnsignedEndpoint =
  | { readonly method: 'GET'; readonly contentType: string; readonly answer: () => string }
  | {
      readonly method: 'POST'
      /** The largest body that is read, in bytes. */
      readonly maxBodyBytes: number
      /** From parsed JSON to the JSON of the answer. Fails with an `ApiError`. */
      readonly handle: (body: unknown) => Promise<unknown>
    }
