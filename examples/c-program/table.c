#include <math.h>
#include <stddef.h>

/* The main lunar and the main solar part: metres, and hours from one high water to the next. */
static const struct { double amplitude, period; } parts[] = { { 1.8, 12.4206 }, { 0.6, 12.0 } };

double height_at(double hours);

double height_at(double hours)
{
    double sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sum += parts[i].amplitude * cos(2 * 3.14159265358979323846 * hours / parts[i].period);
    return sum;
}
