// Written by make generate.

/** In the order of an order's life. */
export const STATUSES: readonly string[] = ["PENDING", "PAID", "SHIPPED", "CANCELED"];

/** Those that lead to another one: somebody is to act on such an order. */
export const OPEN_STATUSES: readonly string[] = ["PENDING", "PAID"];

/** Of the currencies that don't have 2, by ISO 4217. */
export const MINOR_UNIT_DIGITS: Readonly<Record<string, number>> = {"BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0};
