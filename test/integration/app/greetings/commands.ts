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
        const { value } = await connection.ask("POST", "/v1/greetings", greetingSchema, {
          body: { type: "application/json", text: JSON.stringify({ text }) },
        });
        session.print(value, (greeting) => `greeted: ${greeting.text}`);
      }),
    );
};
