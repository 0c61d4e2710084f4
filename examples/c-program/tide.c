/* Prints how high the water stands above the mean, hour by hour. */
#include <stdio.h>
#include <stdlib.h>

double height_at(double hours);

int main(int argc, char **argv)
{
    int hours = argc > 1 ? atoi(argv[1]) : 24;
    for (int hour = 0; hour < hours; hour++)
        printf("%2d:00 %+.2f m\n", hour, height_at(hour));
    return 0;
}
