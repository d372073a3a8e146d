package dev.ridgeline.lab.study;

import org.jspecify.annotations.Nullable;

/** Puts a record together; its kind is the first word of its id. */
final class RecordBuilder {
  private final String id;
  private final String time;
  private String status = LabRecord.OK;
  private @Nullable String note;
  private LabRecord.@Nullable Session session;
  private LabRecord.@Nullable Variant variant;
  private LabRecord.@Nullable Run run;
  private LabRecord.@Nullable Quality quality;

  RecordBuilder(String id, String time) {
    this.id = id;
    this.time = time;
  }

  RecordBuilder note(@Nullable String text) {
    note = text;
    return this;
  }

  RecordBuilder failed(String why) {
    status = LabRecord.FAILED;
    return note(why);
  }

  RecordBuilder estimated(String how) {
    status = LabRecord.ESTIMATED;
    return note(how);
  }

  RecordBuilder session(LabRecord.Session part) {
    session = part;
    return this;
  }

  RecordBuilder variant(LabRecord.Variant part) {
    variant = part;
    return this;
  }

  RecordBuilder run(LabRecord.Run part) {
    run = part;
    return this;
  }

  RecordBuilder quality(LabRecord.Quality part) {
    quality = part;
    return this;
  }

  LabRecord build() {
    String kind = id.substring(0, id.indexOf('/'));
    return new LabRecord(
        LabRecord.SCHEMA, id, kind, time, status, note, session, variant, run, quality);
  }
}
