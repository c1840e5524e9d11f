#ifndef RV_HW_MAPPING_RULE_H
#define RV_HW_MAPPING_RULE_H

#include "hw/export_net.h"
#include "io/hdf5_file.h"

/** Writes /rules/k: the rule that a projection learns by. */
rv_status mapping_write_rule(hdf5_file *f, int k, const export_net *e, int projection);

#endif
