// Serves the stock: PORT=8000 npm start.

import { createApp } from "./app.js";
import { slowStart } from "./trouble.js";

await slowStart();
const port = Number(process.env.PORT ?? 8000);
const host = process.env.HOST ?? "127.0.0.1";
createApp().listen(port, host, (error) => {
  // Express hands over an error here (the port is taken) that would end the process without a word otherwise.
  if (error) throw error;
  console.log(`The stock is counted at http://${host}:${port}`);
});
