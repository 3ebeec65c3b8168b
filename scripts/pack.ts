// Packs what others install: the relay with its command `feiqian`, and the SDK. See docs/developer.md.
import { makeRelayPackage, makeSdkPackage } from "./pack/packages.ts";
import { writePackage } from "./pack/write.ts";

const FOLDER = "dist";

for (const made of [await makeRelayPackage(), await makeSdkPackage()]) {
  console.log(await writePackage(made, FOLDER));
}
