// Writes into recurrence_recorded.json what ical.js answers to the rules in it. No test runs this; to check the record, in an empty folder:
//   npm install ical.js@2.2.1 && cp …/recurrence_recorded.* . && node recurrence_recorded.mjs
import { readFileSync, writeFileSync } from "node:fs";
import ICAL from "ical.js";

const FILE = "recurrence_recorded.json";
const DAY = 24 * 60 * 60;

const time = (date) => ICAL.Time.fromDateTimeString(`${date}T09:30:00`);

function days({ start, rule, until }) {
  const [first, last, found] = [time(start), time(until), []];
  const walls = ICAL.Recur.fromString(rule).iterator(first);
  for (let wall = walls.next(); wall && wall.compare(last) <= 0; wall = walls.next()) {
    found.push(wall.subtractDate(first).toSeconds() / DAY);
  }
  return found;
}

const series = JSON.parse(readFileSync(FILE, "utf8"));
const lines = series.map((one) => JSON.stringify({ ...one, days: days(one) }));
writeFileSync(FILE, `[\n${lines.join(",\n")}\n]\n`);
