/** The heights of all rows of a list: estimates until a row was measured. */

export class RowHeights {
  /**
   * @param {number} count
   * @param {(row: number) => number} estimate in pixels
   */
  constructor(count, estimate) {
    this.count = count;
    this.heights = new Float64Array(count);
    this.offsets = new Float64Array(count + 1);
    /** The rows whose offsets are up to date, and that of the next row. */
    this.validRows = 0;
    this.estimateAll(estimate);
  }

  /** @param {(row: number) => number} estimate in pixels; replaces what was measured, for example at another width */
  estimateAll(estimate) {
    for (let row = 0; row < this.count; row++) this.heights[row] = estimate(row);
    this.validRows = 0;
  }

  /**
   * @param {number} row
   * @param {number} height as measured, in pixels
   */
  set(row, height) {
    if (this.heights[row] === height) return;
    this.heights[row] = height;
    this.validRows = Math.min(this.validRows, row);
  }

  /**
   * @param {number} row up to `count`, which is the end of the list
   * @returns {number} pixels above the row
   */
  offset(row) {
    for (; this.validRows < row; this.validRows++) {
      this.offsets[this.validRows + 1] = this.offsets[this.validRows] + this.heights[this.validRows];
    }
    return this.offsets[row];
  }

  get total() {
    return this.offset(this.count);
  }

  /**
   * @param {number} pixels below the top of the list
   * @returns {number} the row there, or the nearest
   */
  rowAt(pixels) {
    this.offset(this.count);
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= pixels) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
