import { act, type AddCommands } from "../../../../src/command/act.ts";
import { greetingSchema } from "./schema.ts";

export const addGreetingCommands: AddCommands = (program, io) => {
  program
    .command("greet")
    .description("Greets whoever listens.")
    .argument("<text>", "what to say")
    .action(
      act(io, async (session, [text = ""]) => {
        const { connection } = await session.client();
        // The feature is in no document that the SDK is made from; routes that are there are asked by their names.
        const answer = await connection.send("POST", "/v1/greetings", {
          body: { type: "application/json", text: JSON.stringify({ text }) },
        });
        session.print(greetingSchema.parse(JSON.parse(answer.text)), (greeting) => `greeted: ${greeting.text}`);
      }),
    );
};
